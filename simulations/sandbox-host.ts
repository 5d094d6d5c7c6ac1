/** The SandboxHost port of a world: the real worker in this thread, one frame at a time, as a process would. */
import type { Clock, SandboxHost, SandboxProcess } from '../protocol/ports.ts'
import { type SandboxWorker, serveSandbox } from '../sandbox/worker.ts'

type Handlers = Parameters<SandboxProcess['receive']>[0]

class InlineSandbox implements SandboxProcess {
  readonly #worker: SandboxWorker
  #handlers: Handlers | undefined
  #ended = false

  constructor(clock: Pick<Clock, 'monotonic'>, wasm: WebAssembly.Module) {
    const send = (frame: Uint8Array) => this.#later(() => this.#handlers?.frame(frame))
    this.#worker = serveSandbox({ wasm, send, now: () => clock.monotonic() })
  }

  send(frame: Uint8Array): void {
    this.#later(() => this.#worker.frame(frame))
  }

  receive(handlers: Handlers): void {
    this.#handlers = handlers
  }

  kill(): void {
    if (this.#ended) return
    this.#ended = true
    queueMicrotask(() => this.#handlers?.exited('killed'))
  }

  #later(run: () => void): void {
    queueMicrotask(() => {
      if (!this.#ended) run()
    })
  }
}

/** A run takes no time of `clock`: what it computes is done at once. */
export const createInlineSandboxHost = (clock: Pick<Clock, 'monotonic'>, wasm: WebAssembly.Module): SandboxHost => ({
  spawn: () => new InlineSandbox(clock, wasm),
})
