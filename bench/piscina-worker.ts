/** What a Piscina thread runs: the function natively, or in the same sandbox as an agent's. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { FUEL_DEFAULT, MEMORY_BYTES_DEFAULT, OUTPUT_BYTES_MAX } from '../protocol/limits.ts'
import { Outcome } from '../protocol/outcome.ts'
import { decodeValue, encodeValue, type Value } from '../protocol/values.ts'
import { createSandbox } from '../sandbox/sandbox.ts'
import { ENGINE_FILE } from '../scripts/engine/source.ts'

export interface SandboxJob {
  code: string
  items: Value[]
}

const sandbox = createSandbox({ wasm: new WebAssembly.Module(readFileSync(ENGINE_FILE)) })
const limits = { fuel: FUEL_DEFAULT, memory_bytes: MEMORY_BYTES_DEFAULT, output_bytes: OUTPUT_BYTES_MAX }

/** One pristine run an item, as an agent makes it. */
export const runInSandbox = ({ code, items }: SandboxJob): Value[] => {
  const id = code.length.toString()
  sandbox.load(id, Buffer.from(code), limits.memory_bytes)
  return items.map((item) => {
    const input = encodeValue(item)
    const seed = createHash('sha256').update(input).digest()
    const { result } = sandbox.run(id, {
      owner: '',
      exportName: 'default',
      effects: [],
      input,
      seed,
      limits,
      journal: [],
    })
    if (result?.kind !== 'outcome') throw new Error(`no outcome: ${result?.kind}`)
    const { result: outcome } = Outcome.decode(result.outcome)
    if (!outcome.ok) throw new Error(outcome.message)
    return decodeValue(outcome.value)
  })
}

/** The rival at its best: the function itself, in V8. */
export const runTrivial = (items: { n: number }[]): { n: number }[] => items.map(({ n }) => ({ n: n + 1 }))
