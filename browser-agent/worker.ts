/**
 * The program of every worker of a page's peer. The first message says what it is: one that keeps timers, or a sandbox with
 * its engine. A sandbox then takes frames `{ share }` and `{ tier }`, and posts frames, `{ cpuMs }`, each share that it has heard,
 * and that it wants the tier of WebAssembly.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { bringsWebAssembly } from '../sandbox/frames.ts'
import { serveSandbox } from '../sandbox/worker.ts'
import { watchLifeLine } from './guest/life-line.ts'
import { paceWorker } from './guest/paced-worker.ts'
import { threadSleep } from './guest/pacer.ts'
import { serveTimers, type TimerScope } from './timers.ts'
import { TierGate, type TierOrder } from './wasm-tier.ts'

interface SandboxScope {
  onmessage: ((event: { data: unknown }) => void) | null
  postMessage(message: unknown, transfer?: ArrayBuffer[]): void
}

/** What makes a sandbox of a worker: the engine's binary, compiled, and the address at which it sees that it has ended. */
export interface EngineOrder {
  wasm: WebAssembly.Module
  lifeLine: string
}

/** Of a core, above 0 and up to 1: that a sandbox may compute; and its answer, once it does. */
export interface ShareOrder {
  share: number
}

/** So long a sandbox has computed since it last said so. */
export interface ComputedReport {
  cpuMs: number
}

const scope = globalThis as unknown as SandboxScope

/** What a worker of a page could do that a sandbox has no use for. What runs in it reaches none of it; whoever broke out finds nothing. */
const POWERS = [
  ...['fetch', 'XMLHttpRequest', 'WebSocket', 'WebTransport', 'EventSource', 'indexedDB', 'caches', 'Worker'],
  ...['BroadcastChannel', 'importScripts', 'Notification', 'RTCPeerConnection'],
]

const giveUpPowers = (): void => {
  for (const name of POWERS) Object.defineProperty(globalThis, name, { value: undefined, writable: false })
}

const serveEngine = ({ wasm, lifeLine }: EngineOrder): void => {
  const ended = watchLifeLine(lifeLine, XMLHttpRequest)
  giveUpPowers()
  const worker = paceWorker(
    {
      now: () => performance.now(),
      sleep: threadSleep(),
      ended,
      after: (ms, run) => setTimeout(run, ms),
      ran: (cpuMs) => scope.postMessage({ cpuMs } satisfies ComputedReport),
      send: (frame) => scope.postMessage(frame, [frame.buffer as ArrayBuffer]),
    },
    (ports) => serveSandbox({ wasm, hash: sha256, ...ports }),
  )
  const gate = new TierGate(
    (frame) => worker.frame(frame),
    bringsWebAssembly,
    () => scope.postMessage({ tier: 'wanted' } satisfies TierOrder),
  )
  scope.onmessage = ({ data }) => {
    if (data instanceof Uint8Array) return gate.frame(data)
    const order = data as ShareOrder | TierOrder
    if ('tier' in order) return void gate.take(order)
    worker.share(order.share)
    scope.postMessage(order)
  }
}

scope.onmessage = ({ data }) => {
  if (data === 'timers') serveTimers(scope as TimerScope)
  else serveEngine(data as EngineOrder)
}
