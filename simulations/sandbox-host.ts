/** The SandboxHost port of a world: the real worker in this thread, one frame at a time, as a process would. */
import type { Clock, Crypto, SandboxHost, SandboxProcess } from '../protocol/ports.ts'
import { Bases } from '../sandbox/base.ts'
import { ENGINES } from '../sandbox/engines.ts'
import { type SandboxWorker, serveSandbox, type WorkerPorts } from '../sandbox/worker.ts'

/** Workers of a world are in one thread, and many: what is the same in all of them is made once. */
const basesOf = new WeakMap<WebAssembly.Module, Bases>()

const sharedBases = (wasm: WebAssembly.Module): Bases => {
  const bases = basesOf.get(wasm) ?? new Bases(wasm)
  basesOf.set(wasm, bases)
  return bases
}

type Handlers = Parameters<SandboxProcess['receive']>[0]

/** A release of the sandbox: which engines it runs, and what serves them. */
export interface SandboxRelease {
  engines: readonly string[]
  wasm: WebAssembly.Module
  serve(ports: WorkerPorts): SandboxWorker
}

class InlineSandbox implements SandboxProcess {
  readonly engines: readonly string[]
  readonly #worker: SandboxWorker
  #handlers: Handlers | undefined
  #ended = false

  constructor(
    clock: Pick<Clock, 'monotonic'>,
    { hash }: Pick<Crypto, 'hash'>,
    { engines, wasm, serve }: SandboxRelease,
  ) {
    this.engines = engines
    const send = (frame: Uint8Array) => this.#later(() => this.#handlers?.frame(frame))
    // Those of another release are made by its own code.
    const shared = serve === serveSandbox ? { bases: sharedBases(wasm) } : {}
    this.#worker = serve({ wasm, ...shared, send, hash, now: () => clock.monotonic() })
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

/** A run takes no time of `clock`: what it computes is done at once. Releases: the newest first. */
export const createReleasesHost = (
  clock: Pick<Clock, 'monotonic'>,
  crypto: Pick<Crypto, 'hash'>,
  releases: readonly [SandboxRelease, ...SandboxRelease[]],
): SandboxHost => ({
  spawn: (engine = '') =>
    new InlineSandbox(clock, crypto, releases.find(({ engines }) => engines.includes(engine)) ?? releases[0]),
})

/** Of this release alone. */
export const createInlineSandboxHost = (
  clock: Pick<Clock, 'monotonic'>,
  { wasm, crypto }: { wasm: WebAssembly.Module; crypto: Pick<Crypto, 'hash'> },
): SandboxHost => createReleasesHost(clock, crypto, [{ engines: ENGINES, wasm, serve: serveSandbox }])
