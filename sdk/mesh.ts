/** A connection to a mesh: calls, maps, and their end. */
import { MeshError } from '../protocol/errors.ts'
import { TIMEOUT_MS_MAX } from '../protocol/limits.ts'
import { answerOf, type CallReceipt, encodeInput, endedWith, receiptOf } from './answer.ts'
import type { Backend, BackendMapItem } from './backend.ts'
import {
  backendOptions,
  type CallOptions,
  ensureCallOptions,
  type MapOptions,
  type StartOptions,
} from './call-options.ts'
import type { Fn } from './fn.ts'
import type { SdkHost } from './host.ts'
import { type MapItem, MapStream } from './map-stream.ts'
import { type Published, PublishedFunctions } from './published.ts'

/** Every method throws MeshError: `code` is of the closed table of errors, `message` says what to do. */
export interface Mesh extends AsyncDisposable {
  /**
   * One answer, checked as `verify` says. An error that the function threw is E_FUNCTION_THREW with the function's
   * message, its stack and console output in `fields`; an input that cannot cross is E_VALUE, and nothing is sent.
   */
  call<Input, Output>(
    fn: Fn<Input, Output>,
    input: NoInfer<Input>,
    options: CallOptions & { receipt: true },
  ): Promise<{ value: Output; receipt: CallReceipt }>
  call<Input, Output>(
    fn: Fn<Input, Output>,
    input: NoInfer<Input>,
    options?: CallOptions & { receipt?: false },
  ): Promise<Output>
  /**
   * One item for each input, in their order. Inputs are pulled as executors have room and results are read. An item
   * that failed says so and stops nothing; an error of `inputs` itself is thrown, after the items before it.
   */
  map<Input, Output>(
    fn: Fn<Input, Output>,
    inputs: Iterable<NoInfer<Input>> | AsyncIterable<NoInfer<Input>>,
    options?: MapOptions,
  ): AsyncIterableIterator<MapItem<Output>>
  /**
   * Begins an invocation that outlasts this program: its home goes on with it whatever runs or fails, until its deadline.
   * That is the agent of this machine; else a neighbour that is a home for this peer, with a delegation that it signs.
   * Resolves once it is kept there. E_NO_HOME: there is none.
   */
  start<Input, Output>(fn: Fn<Input, Output>, input: NoInfer<Input>, options?: StartOptions): Promise<Started<Output>>
  /** Cancels what is under way and lets go of everything. What was started goes on. */
  close(): Promise<void>
}

/** A durable invocation. */
export interface Started<Output> {
  /** What `wayside wait`, `result` and `cancel` know it by. */
  readonly id: string
  /** Its answer, as of a call, however long it takes. One that was cancelled is E_CANCELLED. */
  result(options?: { signal?: AbortSignal | undefined }): Promise<Output>
  /** Nothing of it is committed afterwards. False: it had ended. */
  cancel(): Promise<boolean>
  /** Its home, of another machine, goes on with it no more, until it is renewed; nothing is lost. E_USAGE: the home is this machine's. */
  revoke(): Promise<void>
  /** After `revoke`: it goes on. */
  renew(): Promise<void>
}

const cancelled = () => new MeshError('E_CANCELLED', 'the caller cancelled')

const ensureFn = (fn: Fn<never, unknown>): void => {
  if (typeof fn?.source === 'string' && typeof fn.export === 'string') return
  throw new MeshError('E_USAGE', 'the first argument is no function reference; make one with fn(URL, path or CID)')
}

const ensureIterable = (inputs: object): void => {
  if (inputs != null && (Symbol.iterator in Object(inputs) || Symbol.asyncIterator in Object(inputs))) return
  throw new MeshError('E_USAGE', 'the inputs cannot be iterated; give an array, a generator or a stream of them')
}

export class BackedMesh implements Mesh {
  readonly #backend: Backend
  readonly #functions: PublishedFunctions
  readonly #underWay = new Set<AbortController>()
  #closing: Promise<void> | undefined

  constructor(host: Pick<SdkHost, 'bundle'>, backend: Backend) {
    this.#backend = backend
    this.#functions = new PublishedFunctions(host, backend)
  }

  call<Input, Output>(
    fn: Fn<Input, Output>,
    input: Input,
    options: CallOptions & { receipt: true },
  ): Promise<{ value: Output; receipt: CallReceipt }>
  call<Input, Output>(fn: Fn<Input, Output>, input: Input, options?: CallOptions): Promise<Output>
  async call(fn: Fn<unknown, unknown>, input: unknown, options: CallOptions = {}): Promise<unknown> {
    this.#ensureUsable(fn, options)
    const encoded = encodeInput(input)
    const { controller, done } = this.#begin(options.signal)
    try {
      const published = await unlessAborted(this.#functions.get(fn), controller.signal)
      const result = await this.#backend.call({
        ...(await this.#requestOf(fn, published, options, controller.signal)),
        input: encoded,
        receipt: options.receipt ?? false,
        traceTicks: options.traceTicks,
      })
      const receipt = options.receipt ? receiptOf(result, published.readStack) : undefined
      const value = answerOf(result.outcome, published.readStack, receipt)
      return receipt ? { value, receipt } : value
    } finally {
      done()
    }
  }

  map<Input, Output>(
    fn: Fn<Input, Output>,
    inputs: Iterable<Input> | AsyncIterable<Input>,
    options: MapOptions = {},
  ): AsyncIterableIterator<MapItem<Output>> {
    this.#ensureUsable(fn, options)
    ensureIterable(inputs)
    return this.#items(fn, inputs, options) as AsyncIterableIterator<MapItem<Output>>
  }

  async start<Input, Output>(
    fn: Fn<Input, Output>,
    input: Input,
    options: StartOptions = {},
  ): Promise<Started<Output>> {
    this.#ensureUsable(fn, options)
    const encoded = encodeInput(input)
    const { controller, done } = this.#begin(undefined)
    try {
      const published = await unlessAborted(this.#functions.get(fn), controller.signal)
      const { durable } = this.#backend
      const timeoutMs = options.timeoutMs ?? published.defaults.timeoutMs ?? TIMEOUT_MS_MAX
      const wanted = await this.#requestOf(fn, published, { ...options, timeoutMs }, controller.signal)
      const { signal: _, ...request } = wanted
      const id = await durable.start({ ...request, input: encoded })
      return {
        id,
        result: async ({ signal } = {}) => endedWith(await durable.wait(id, signal), published.readStack) as Output,
        cancel: () => durable.cancel(id),
        revoke: () => durable.revoke(id),
        renew: () => durable.renew(id),
      }
    } finally {
      done()
    }
  }

  async *#items(
    fn: Fn<never, unknown>,
    inputs: Iterable<unknown> | AsyncIterable<unknown>,
    options: MapOptions,
  ): AsyncGenerator<MapItem<unknown>> {
    const { unordered = false } = options
    const { controller, done } = this.#begin(options.signal)
    try {
      const published = await unlessAborted(this.#functions.get(fn), controller.signal)
      const request = await this.#requestOf(fn, published, options, controller.signal)
      const stream = new MapStream({
        inputs,
        encode: encodeInput,
        run: (encoded) => this.#backend.map({ ...request, inputs: encoded, unordered }),
        read: (item, index) => readItem(item, index, published),
        unordered,
      })
      controller.signal.addEventListener('abort', () => stream.fail(cancelled()))
      yield* stream.items()
    } finally {
      controller.abort()
      done()
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    for (const controller of this.#underWay) controller.abort()
    await this.#backend.close()
  }

  #ensureUsable(fn: Fn<never, unknown>, options: MapOptions): void {
    if (this.#closing) throw new MeshError('E_USAGE', 'this mesh is closed; connect() again')
    ensureFn(fn)
    ensureCallOptions(options)
  }

  /** Ends with the caller's signal, or with the mesh. */
  #begin(signal: AbortSignal | undefined): { controller: AbortController; done(): void } {
    const controller = new AbortController()
    const abort = () => controller.abort()
    if (signal?.aborted) abort()
    signal?.addEventListener('abort', abort)
    this.#underWay.add(controller)
    const done = () => {
      signal?.removeEventListener('abort', abort)
      this.#underWay.delete(controller)
    }
    return { controller, done }
  }

  async #requestOf(fn: Fn<never, unknown>, published: Published, options: MapOptions, signal: AbortSignal) {
    const limits = options.limits && (await published.limitsWith(options.limits))
    return {
      ...backendOptions(options, published.defaults),
      limits,
      signal,
      function: published.cid,
      export: fn.export,
    }
  }
}

/** Rejects with E_CANCELLED as soon as `signal` says so; the work goes on for whoever else waits for it. */
const unlessAborted = async <T>(work: T | Promise<T>, signal: AbortSignal): Promise<T> => {
  if (signal.aborted) throw cancelled()
  if (!(work instanceof Promise)) return work
  return new Promise<T>((resolve, reject) => {
    signal.addEventListener('abort', () => reject(cancelled()), { once: true })
    work.then(resolve, reject)
  })
}

const readItem = (item: BackendMapItem, index: number, { readStack }: Published): MapItem<unknown> => {
  try {
    if ('result' in item) return { ok: true, index, value: answerOf(item.result.outcome, readStack) }
    const { code, message } = item.error
    return { ok: false, index, error: new MeshError(code, message) }
  } catch (cause) {
    return { ok: false, index, error: cause as MeshError }
  }
}
