/** The SandboxHost port in a page: each sandbox a dedicated worker, which has no more authority than to compute. */
import { type FailPoints, NO_FAIL_POINTS } from '../protocol/fail-points.ts'
import type { SandboxHost, SandboxProcess } from '../protocol/ports.ts'
import type { PageAssets } from './assets.ts'
import { createLifeLine } from './guest/life-line.ts'
import type { TierOrder } from './wasm-tier.ts'
import type { ComputedReport, EngineOrder, ShareOrder } from './worker.ts'

type Handlers = Parameters<SandboxProcess['receive']>[0]

export interface PageSandboxHost extends SandboxHost {
  /**
   * Of a core, above 0 and up to 1, for each worker from now on. 1, unless told. One that computes without a pause does
   * not hear of it: where the share is less than before, it ends after 2 s, and its run goes elsewhere.
   */
  share(share: number): void
  /** Ends every worker, in this turn. */
  stop(): void
}

export interface PageSandboxOptions extends PageAssets {
  /** Told that workers have computed so many ms more. */
  computed?: (cpuMs: number) => void
  failPoints?: FailPoints
}

/** So long a worker may go on at a share that it should not have any more. */
const HEAR_MS = 2000

const compileAt = async (url: string): Promise<WebAssembly.Module> => {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url} answers ${response.status}`)
  return WebAssembly.compile(await response.arrayBuffer())
}

/** The engine is fetched and compiled once, with the first worker. */
export const createPageSandboxHost = (options: PageSandboxOptions): PageSandboxHost => new Host(options)

class Host implements PageSandboxHost {
  readonly #options: PageSandboxOptions
  readonly #running = new Set<WorkerSandbox>()
  #engine: Promise<WebAssembly.Module> | undefined
  #tier: Promise<string> | undefined
  #share = 1

  constructor(options: PageSandboxOptions) {
    this.#options = options
  }

  share(share: number): void {
    const isLess = share < this.#share
    this.#share = share
    for (const sandbox of this.#running) {
      sandbox.order({ share })
      if (isLess) sandbox.mustHear(share)
    }
  }

  spawn(): SandboxProcess {
    this.#engine ??= this.#compile()
    const parts = { engine: this.#engine, tier: () => this.#locateTier() }
    const sandbox = new WorkerSandbox(this.#options, parts, () => this.#running.delete(sandbox))
    this.#running.add(sandbox)
    if (this.#share < 1) sandbox.order({ share: this.#share })
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

  /** Once for all workers; what failed is tried again when one wants it again. */
  #locateTier(): Promise<string> {
    const { tierUrl } = this.#options
    if (typeof tierUrl === 'string') return Promise.resolve(tierUrl)
    this.#tier ??= tierUrl().catch((cause: Error) => {
      this.#tier = undefined
      throw cause
    })
    return this.#tier
  }
}

interface Parts {
  engine: Promise<WebAssembly.Module>
  /** Where what runs WebAssembly is. */
  tier(): Promise<string>
}

class WorkerSandbox implements SandboxProcess {
  readonly #worker: Worker
  readonly #failPoints: FailPoints
  readonly #ended: () => void
  readonly #lifeLine = createLifeLine()
  #handlers: Handlers | undefined
  /** What was sent before the engine was there. */
  #unsent: (Uint8Array | ShareOrder | TierOrder)[] | undefined = []
  #isOver = false
  /** The last share that it said it has. */
  #heard = 1
  #hearing: ReturnType<typeof setTimeout> | undefined

  constructor(options: PageSandboxOptions, { engine, tier }: Parts, ended: () => void) {
    const { workerUrl, failPoints = NO_FAIL_POINTS } = options
    this.#failPoints = failPoints
    this.#ended = ended
    this.#worker = new Worker(workerUrl, { type: 'module', name: 'wayside-sandbox' })
    this.#worker.onmessage = ({ data }: { data: Uint8Array | ComputedReport | ShareOrder | TierOrder }) => {
      if (data instanceof Uint8Array) this.#handlers?.frame(data)
      else if ('share' in data) this.#heard = data.share
      else if ('tier' in data) this.#answer(tier())
      else options.computed?.(data.cpuMs)
    }
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
    this.order(frame)
  }

  /** What is sent is a copy: an image is sent to other workers too. */
  order(message: Uint8Array | ShareOrder | TierOrder): void {
    if (this.#unsent) this.#unsent.push(message)
    else if (!this.#isOver) this.#worker.postMessage(message)
  }

  /** Ends unless it has said within `HEAR_MS` that it computes no more than this. */
  mustHear(share: number): void {
    clearTimeout(this.#hearing)
    this.#hearing = setTimeout(() => {
      if (!this.#unsent && this.#heard > share) this.#end(`it did not slow down to ${share} of a core`)
    }, HEAR_MS)
  }

  receive(handlers: Handlers): void {
    this.#handlers = handlers
  }

  kill(): void {
    this.#end('killed')
  }

  #answer(tier: Promise<string>): void {
    tier.then(
      (url) => this.order({ tier: 'here', url }),
      ({ message }: Error) => this.order({ tier: 'failed', why: message }),
    )
  }

  #begin(wasm: WebAssembly.Module): void {
    if (this.#isOver) return
    this.#worker.postMessage({ wasm, lifeLine: this.#lifeLine.url } satisfies EngineOrder)
    const unsent = this.#unsent ?? []
    this.#unsent = undefined
    for (const message of unsent) this.order(message)
  }

  #end(reason: string): void {
    if (this.#isOver) return
    this.#isOver = true
    clearTimeout(this.#hearing)
    // At once, where the browser takes its time.
    this.#lifeLine.cut()
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
