/** A page whose sandboxes compute without end, each at a share of its own: for tests that measure what they take. */
import { FUEL_MAX, MIB } from '../../../protocol/limits.ts'
import { encodeValue } from '../../../protocol/values.ts'
import { createSandboxPool, type SandboxPool } from '../../../sandbox/pool.ts'
import { createPageClock } from '../../clock.ts'
import { createPageSandboxHost, type PageSandboxHost } from '../../sandbox-host.ts'

/** Counts to its input. */
const COUNT = new TextEncoder().encode('export default (n) => { let x = 0; while (x < n) x++; return x }')
/** Of the other tier, of a kind that the page is given. */
const COUNT_WASM = {
  functionId: 'count-wasm',
  exportName: 'count',
  form: { tier: 'webassembly', modules: [] },
} as const
const LIMITS = { fuel: FUEL_MAX, memory_bytes: 16 * MIB, output_bytes: MIB }
const clock = createPageClock('/worker.js')

interface Computing {
  host: PageSandboxHost
  pool: SandboxPool
  /** A WebAssembly module. */
  wasm: Uint8Array | undefined
  cpuMs: number
  done: number
  failed: string[]
}
const all: Computing[] = []

const count = ({ pool, wasm }: Computing, n: number) =>
  pool.run({
    ...{ party: 'page', functionId: 'count', code: () => wasm ?? COUNT, exportName: 'default', effects: [] },
    ...(wasm && COUNT_WASM),
    ...{ input: encodeValue(n), seed: new Uint8Array(32), limits: LIMITS, journal: [], timeoutMs: 600_000 },
  }).result

Object.assign(globalThis, {
  paced: {
    /** Begins to compute, in runs that count to `n`, with the module `wasm` in base64 if it is there; resolves when the first has begun. */
    start: async (share: number, n: number, wasm?: string) => {
      const computing = { cpuMs: 0, done: 0, failed: [] } as unknown as Computing
      if (wasm) computing.wasm = Uint8Array.from(atob(wasm), (char) => char.charCodeAt(0))
      const computed = (cpuMs: number) => {
        computing.cpuMs += cpuMs
      }
      computing.host = createPageSandboxHost({
        workerUrl: '/worker.js',
        engineUrl: '/engine.wasm',
        tierUrl: '/tier.js',
        computed,
      })
      computing.pool = createSandboxPool(
        { sandboxHost: computing.host, clock, log: { event() {} } },
        { slots: 1, idleMs: 60_000 },
      )
      computing.host.share(share)
      await count(computing, 1)
      const again = async (): Promise<void> => {
        const result = await count(computing, n)
        if (result.kind !== 'outcome')
          return void computing.failed.push('reason' in result ? result.reason : result.kind)
        computing.done++
        return again()
      }
      void again()
      return all.push(computing) - 1
    },
    share: (i: number, share: number) => all[i]?.host.share(share),
    report: () => all.map(({ cpuMs, done, failed }) => ({ cpuMs, done, failed })),
    stop: (i: number) => all[i]?.host.stop(),
  },
})
