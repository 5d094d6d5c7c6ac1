/** A page that lends; and, for what it is compared with, one that runs jobs in workers of its own, without any peer. */
import { startPageAgent } from '../browser-agent/agent.ts'
import { LendingPeer } from '../browser-agent/lending-peer.ts'
import { createPagePorts } from '../browser-agent/ports.ts'
import { createPageSandboxHost } from '../browser-agent/sandbox-host.ts'
import { FUEL_DEFAULT, MEMORY_BYTES_DEFAULT, OUTPUT_BYTES_MAX } from '../protocol/limits.ts'
import type { Clock } from '../protocol/ports.ts'
import { encodeValue, type Value } from '../protocol/values.ts'
import { createSandboxPool } from '../sandbox/pool.ts'

const assets = { workerUrl: '/worker.js', engineUrl: '/engine.wasm', tierUrl: '/tier.js' }
const ACCEPT = ['mesh']
const LIMITS = { cpuShare: 1, cores: 1, when: 'always', onBattery: true, onMetered: true } as const
/** Of the protocol that only gives back what it is sent. */
const ECHO = '/wayside/bench/echo'
const FRAME_BYTES_MAX = 65_536

const lend = async (mesh: string): Promise<void> => {
  await startPageAgent({ ...assets, mesh, accept: ACCEPT, limits: LIMITS })
}

/**
 * The same peer, but for the rules of a good guest, to whom another page at work on this machine is a person who needs it;
 * and it echoes.
 */
const lendAll = async (mesh: string): Promise<string> => {
  const ports = await createPagePorts(assets)
  ports.network.handle(
    ECHO,
    (channel) => channel.receive({ frame: (frame) => void channel.send(frame), closed: () => {} }),
    { frameBytesMax: FRAME_BYTES_MAX },
  )
  const peer = await new Promise<LendingPeer>((resolve, reject) => {
    const begun = () => resolve(lending)
    const lending = new LendingPeer(ports, { mesh, accept: ACCEPT, slots: 1, failed: reject, begun, joined() {} })
  })
  peer.lend(1)
  return peer.peerId
}

const clock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs)
    return () => clearTimeout(timer)
  },
}

const pool = createSandboxPool(
  { clock, sandboxHost: createPageSandboxHost(assets), log: { event() {} } },
  { slots: 2, idleMs: 60_000 },
)

/** Runs `code` on each input, on two workers; resolves with the ms that it took. */
const runAll = async (code: string, inputs: Value[]): Promise<number> => {
  const from = performance.now()
  const limits = { fuel: FUEL_DEFAULT, memory_bytes: MEMORY_BYTES_DEFAULT, output_bytes: OUTPUT_BYTES_MAX }
  const job = {
    party: '',
    functionId: 'tile',
    code: () => new TextEncoder().encode(code),
    exportName: 'default',
    limits,
  }
  const rest = { effects: [], seed: new Uint8Array(32), journal: [], timeoutMs: 60_000 }
  const runs = inputs.map((input) => pool.run({ ...job, ...rest, input: encodeValue(input) }).result)
  for (const result of await Promise.all(runs))
    if (result.kind !== 'outcome' || !result.decoded.result.ok) throw new Error(`no answer: ${JSON.stringify(result)}`)
  return performance.now() - from
}

Object.assign(globalThis, { lending: { lend, lendAll, runAll } })
