/** A page's worker that performs programs: each message a question, each answer a message. */
import { answerQuestion } from './perform.ts'

interface WorkerScope {
  onmessage: (event: { data: string }) => void
  postMessage(answer: string): void
}

const scope = globalThis as unknown as WorkerScope

const wasm = fetch('/quickjs.wasm')
  .then((response) => response.arrayBuffer())
  .then((bytes) => new WebAssembly.Module(new Uint8Array(bytes)))

const fail = (error: unknown) => {
  // What is thrown here reaches the page as an error event; a rejection would not.
  globalThis.setTimeout(() => {
    throw error
  })
}

scope.onmessage = ({ data }) =>
  void wasm.then((module) => answerQuestion(module, data)).then((answer) => scope.postMessage(answer), fail)
