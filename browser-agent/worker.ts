/** The program of every worker of a page's peer. The first message says what it is: a sandbox, with its engine, or timers. */
import { serveSandbox } from '../sandbox/worker.ts'
import { serveTimers, type TimerScope } from './timers.ts'

interface SandboxScope {
  onmessage: ((event: { data: unknown }) => void) | null
  postMessage(message: unknown, transfer?: ArrayBuffer[]): void
}

const scope = globalThis as unknown as SandboxScope

const serveEngine = (wasm: WebAssembly.Module): void => {
  const send = (frame: Uint8Array) => scope.postMessage(frame, [frame.buffer as ArrayBuffer])
  const worker = serveSandbox({ wasm, send, now: () => performance.now() })
  scope.onmessage = ({ data }) => worker.frame(data as Uint8Array)
}

scope.onmessage = ({ data }) => {
  if (data === 'timers') serveTimers(scope as TimerScope)
  else serveEngine(data as WebAssembly.Module)
}
