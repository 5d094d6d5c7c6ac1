/** `npm run bench -- NAME [--json] [--rtt-matrix FILE] [--real]`: runs one benchmark; its last line is one JSON object of the figures. */
import { parseArgs } from 'node:util'
import { stopAll } from './processes.ts'

/** A benchmark prints its table as it goes and returns its keys. */
export interface Benchmark {
  /** `matrix`: a file of measured round trips, which sim-routing takes; `real`: sim-validation is to try real peers. */
  run(
    print: (line: string) => void,
    options: { matrix: string | undefined; real: boolean },
  ): Promise<Record<string, number | boolean>>
}

const BENCHMARKS: Record<string, () => Promise<Benchmark>> = {
  'call-overhead': () => import('./call-overhead.ts'),
  'map-throughput': () => import('./map-throughput.ts'),
  'cold-start': () => import('./cold-start.ts'),
  'warm-call': () => import('./warm-call.ts'),
  density: () => import('./density.ts'),
  kernels: () => import('./kernels.ts'),
  'map-speedup': () => import('./map-speedup.ts'),
  'agent-footprint': () => import('./agent-footprint.ts'),
  join: () => import('./join.ts'),
  routing: () => import('./routing.ts'),
  'verification-cost': () => import('./verification-cost.ts'),
  'sim-verification': () => import('./sim-verification.ts'),
  'browser-weight': () => import('./browser-weight.ts'),
  'browser-join': () => import('./browser-join.ts'),
  'browser-call': () => import('./browser-call.ts'),
  'browser-map': () => import('./browser-map.ts'),
  'page-smoothness': () => import('./page-smoothness.ts'),
  commit: () => import('./commit.ts'),
  'stateful-call': () => import('./stateful-call.ts'),
  replay: () => import('./replay.ts'),
  checkpoint: () => import('./checkpoint.ts'),
  recovery: () => import('./recovery.ts'),
  'cli-first-result': () => import('./cli-first-result.ts'),
  'sim-speed': () => import('./sim-speed.ts'),
  'sim-routing': () => import('./sim-routing.ts'),
  'sim-discovery': () => import('./sim-discovery.ts'),
  'sim-validation': () => import('./sim-validation.ts'),
}

const OPTIONS = { json: { type: 'boolean' }, 'rtt-matrix': { type: 'string' }, real: { type: 'boolean' } } as const

const main = async (): Promise<number> => {
  const { positionals, values } = parseArgs({ allowPositionals: true, options: OPTIONS })
  const [name] = positionals
  const load = BENCHMARKS[name ?? '']
  if (!load) {
    console.error(`usage: npm run bench -- NAME [--json], where NAME is one of ${Object.keys(BENCHMARKS).join(', ')}`)
    return 2
  }
  const benchmark = await load()
  try {
    const options = { matrix: values['rtt-matrix'], real: values.real ?? false }
    const figures = await benchmark.run(values.json ? () => {} : console.log, options)
    console.log(JSON.stringify(figures))
    return 0
  } finally {
    await stopAll()
  }
}

process.exitCode = await main()
