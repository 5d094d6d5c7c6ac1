/**
 * The program of every worker of a page's peer. The first message says what it is: one that keeps timers, or a sandbox with
 * its engine. A sandbox then takes frames and `{ share }`, and posts frames and `{ cpuMs }`.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { serveSandbox } from '../sandbox/worker.ts'
import { Pacer, threadSleep } from './guest/pacer.ts'
import { serveTimers, type TimerScope } from './timers.ts'

interface SandboxScope {
  onmessage: ((event: { data: unknown }) => void) | null
  postMessage(message: unknown, transfer?: ArrayBuffer[]): void
}

/** Of a core, above 0 and up to 1: that a sandbox may compute. */
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

const serveEngine = (wasm: WebAssembly.Module): void => {
  giveUpPowers()
  const now = () => performance.now()
  const ran = (cpuMs: number) => scope.postMessage({ cpuMs } satisfies ComputedReport)
  const pacer = new Pacer({ now, sleep: threadSleep() ?? (() => {}), ran })
  const send = (frame: Uint8Array) => scope.postMessage(frame, [frame.buffer as ArrayBuffer])
  const worker = serveSandbox({ wasm, send, hash: sha256, now, pace: pacer })
  scope.onmessage = ({ data }) => {
    if (!(data instanceof Uint8Array)) {
      pacer.share = (data as ShareOrder).share
      return
    }
    pacer.begin()
    worker.frame(data)
    pacer.end()
  }
}

scope.onmessage = ({ data }) => {
  if (data === 'timers') serveTimers(scope as TimerScope)
  else serveEngine(data as WebAssembly.Module)
}
