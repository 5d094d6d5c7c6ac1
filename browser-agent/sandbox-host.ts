/** The SandboxHost port in a page: each sandbox a dedicated worker, which has no more authority than to compute. */
import { type FailPoints, NO_FAIL_POINTS } from '../protocol/fail-points.ts'
import type { SandboxHost, SandboxProcess } from '../protocol/ports.ts'

type Handlers = Parameters<SandboxProcess['receive']>[0]

export interface PageSandboxHost extends SandboxHost {
  /** Ends every worker, in this turn. */
  stop(): void
}

export interface PageSandboxOptions {
  /** The program of this folder's workers. */
  workerUrl: string
  /** The engine's binary. */
  engineUrl: string
  failPoints?: FailPoints
}

const compileAt = async (url: string): Promise<WebAssembly.Module> => {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url} answers ${response.status}`)
  return WebAssembly.compile(await response.arrayBuffer())
}

/** The engine is fetched and compiled once, with the first worker or by `warm`. */
export const createPageSandboxHost = (options: PageSandboxOptions): PageSandboxHost => new Host(options)

class Host implements PageSandboxHost {
  readonly #options: PageSandboxOptions
  readonly #running = new Set<WorkerSandbox>()
  #engine: Promise<WebAssembly.Module> | undefined

  constructor(options: PageSandboxOptions) {
    this.#options = options
  }

  spawn(): SandboxProcess {
    this.#engine ??= this.#compile()
    const sandbox = new WorkerSandbox(this.#options, this.#engine, () => this.#running.delete(sandbox))
    this.#running.add(sandbox)
    return sandbox
  }

  stop(): void {
    for (const sandbox of [...this.#running]) sandbox.kill()
  }

  /** What failed is tried again with the next worker. */
  #compile(): Promise<WebAssembly.Module> {
    const compiled = compileAt(this.#options.engineUrl)
    compiled.catch(() => {
      this.#engine = undefined
    })
    return compiled
  }
}

class WorkerSandbox implements SandboxProcess {
  readonly #worker: Worker
  readonly #failPoints: FailPoints
  readonly #ended: () => void
  #handlers: Handlers | undefined
  /** What was sent before the engine was there. */
  #unsent: Uint8Array[] | undefined = []
  #isOver = false

  constructor(
    { workerUrl, failPoints = NO_FAIL_POINTS }: PageSandboxOptions,
    engine: Promise<WebAssembly.Module>,
    ended: () => void,
  ) {
    this.#failPoints = failPoints
    this.#ended = ended
    this.#worker = new Worker(workerUrl, { type: 'module', name: 'wayside-sandbox' })
    this.#worker.onmessage = ({ data }) => this.#handlers?.frame(data)
    // A worker whose program the page's policy forbids says no more than that.
    this.#worker.onerror = ({ message }) => this.#end(message || `its program at ${workerUrl} did not start`)
    engine.then(
      (wasm) => this.#begin(wasm),
      (cause: Error) => this.#end(`the engine did not load: ${cause.message}`),
    )
    this.#mayFail('sandbox.spawn')
  }

  send(frame: Uint8Array): void {
    this.#mayFail('sandbox.send')
    if (this.#unsent) this.#unsent.push(frame)
    else if (!this.#isOver) this.#post(frame)
  }

  receive(handlers: Handlers): void {
    this.#handlers = handlers
  }

  kill(): void {
    this.#end('killed')
  }

  #begin(wasm: WebAssembly.Module): void {
    if (this.#isOver) return
    this.#worker.postMessage(wasm)
    const unsent = this.#unsent ?? []
    this.#unsent = undefined
    for (const frame of unsent) this.#post(frame)
  }

  /** A frame is whole in a buffer of its own, and nobody's any more. */
  #post(frame: Uint8Array): void {
    this.#worker.postMessage(frame, [frame.buffer as ArrayBuffer])
  }

  #end(reason: string): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#worker.terminate()
    this.#ended()
    // Who spawns or kills it is told afterwards.
    queueMicrotask(() => this.#handlers?.exited(reason))
  }

  /** A sandbox fails by ending. */
  #mayFail(name: 'sandbox.spawn' | 'sandbox.send'): void {
    try {
      this.#failPoints.hit(name)
    } catch {
      this.kill()
    }
  }
}
