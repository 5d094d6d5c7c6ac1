/** `npm run bench -- NAME [--json]`: runs one benchmark; its last line is one JSON object of the figures. */
import { readdirSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { stopAll } from './processes.ts'

/** A benchmark prints its table as it goes and returns its keys. */
export interface Benchmark {
  run(print: (line: string) => void): Promise<Record<string, number | boolean>>
}

const SUFFIX = '.bench.ts'

const names = () =>
  readdirSync(new URL('.', import.meta.url))
    .filter((file) => file.endsWith(SUFFIX))
    .map((file) => file.slice(0, -SUFFIX.length))

const main = async (): Promise<number> => {
  const { positionals, values } = parseArgs({ allowPositionals: true, options: { json: { type: 'boolean' } } })
  const [name] = positionals
  if (!name || !names().includes(name)) {
    console.error(`usage: npm run bench -- NAME [--json], where NAME is one of ${names().join(', ')}`)
    return 2
  }
  const benchmark = (await import(`./${name}${SUFFIX}`)) as Benchmark
  try {
    const figures = await benchmark.run(values.json ? () => {} : console.log)
    console.log(JSON.stringify(figures))
    return 0
  } finally {
    await stopAll()
  }
}

process.exitCode = await main()
