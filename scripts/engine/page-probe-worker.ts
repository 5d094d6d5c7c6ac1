/** `probe-worker.ts` in a page's worker: answers each ProbeQuestion in JSON with a ProbeAnswer. */
import { probeFrames } from './probe-worker.ts'

interface WorkerScope {
  onmessage: (event: { data: string }) => void
  postMessage(answer: string): void
}

const scope = globalThis as unknown as WorkerScope

scope.onmessage = async ({ data }) => {
  const wasm = new WebAssembly.Module(new Uint8Array(await (await fetch('/probed.wasm')).arrayBuffer()))
  scope.postMessage(JSON.stringify(probeFrames(wasm, JSON.parse(data))))
}
