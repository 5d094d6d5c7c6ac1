/** For tests: a backend without a mesh. It notes what it is asked, and answers as the test says. */
import type { DelegationSummary } from '../peer/durable/delegation-rules.ts'
import { MeshError } from '../protocol/errors.ts'
import type { Grants } from '../protocol/grants.ts'
import type { Outcome } from '../protocol/outcome.ts'
import { decodeValue, encodeValue, type Value } from '../protocol/values.ts'
import type { FunctionBundle } from '../registry/functions.ts'
import type {
  Backend,
  BackendCall,
  BackendDurable,
  BackendEnd,
  BackendMap,
  BackendMapItem,
  BackendResult,
} from './backend.ts'
import type { SdkHost } from './host.ts'

export const CID_TEXT = 'bafyreidykglsfhoixmivffc5uwhcgshx4j465xwqntbmu43nb2dzqwfvae'
const LIMITS = { fuel: 5, memory_bytes: 20 * 1024 * 1024, output_bytes: 100 }

export const okOutcome = (value: Value): Outcome => outcomeOf({ ok: true, value: encodeValue(value) })

export const outcomeOf = (result: Outcome['result']): Outcome => ({
  v: 1,
  result,
  requests: [],
  console: [{ level: 'log', text: 'said' }],
  fuel: 7,
  memory_bytes: 9,
})

export type Answer = (input: Value, signal: AbortSignal | undefined) => Outcome | Promise<Outcome>

const resultOf = (outcome: Outcome): BackendResult => ({
  outcome,
  executors: ['one', 'two'],
  local: false,
  memo: false,
  verification: { by: 'none', independence: 'none', verifiers: 0 },
  executions: 3,
  recovered: 1,
  disputes: [],
})

const failureOf = (cause: unknown) => ({ code: (cause as MeshError).code, message: (cause as MeshError).message })

export class FakeBackend implements Backend {
  readonly published: FunctionBundle[] = []
  readonly calls: BackendCall[] = []
  readonly maps: BackendMap[] = []
  /** Inputs that a map pulled. */
  pulled = 0
  closed = 0
  readonly revoked: string[] = []
  readonly standing: DelegationSummary[] = []
  readonly started: Omit<BackendCall, 'receipt'>[] = []
  /** Each has ended when it is asked for, unless it was cancelled before. */
  readonly durable: BackendDurable = {
    start: async (call) => `invocation-${this.started.push(call)}`,
    list: async () =>
      this.started.map((call, i) => ({ ...call, id: `invocation-${i + 1}`, state: 'running', createdMs: i })),
    end: (id) => this.#endOf(id),
    wait: (id) => this.#endOf(id),
    revoke: async (id: string) => void this.revoked.push(id),
    renew: async (id: string) => void this.revoked.splice(this.revoked.indexOf(id), 1),
    delegations: async () => ({ standing: this.standing, missing: [] }),
    cancel: async (id) => !this.#cancelled.has(id) && this.#cancelled.add(id) !== undefined,
    recorded: async (id) => new TextEncoder().encode(id),
  }
  readonly #cancelled = new Set<string>()
  readonly #answer: Answer
  readonly #window: number

  /** A map keeps up to `window` items under way. */
  constructor(answer: Answer = okOutcome, window = 4) {
    this.#answer = answer
    this.#window = window
  }

  async publish(bundle: FunctionBundle) {
    this.published.push(bundle)
    return { cid: CID_TEXT, manifest: await this.manifest() }
  }

  async #endOf(id: string): Promise<BackendEnd> {
    const call = this.started[Number(id.split('-')[1]) - 1]
    if (!call) throw new MeshError('E_USAGE', `no invocation ${id}`)
    if (this.#cancelled.has(id)) return { state: 'cancelled' }
    try {
      return { state: 'done', outcome: await this.#answer(decodeValue(call.input), undefined) }
    } catch (cause) {
      return { state: 'failed', error: failureOf(cause) }
    }
  }

  async manifest() {
    return {
      v: 1 as const,
      name: 'f',
      exports: ['default'],
      effects: [],
      limits: LIMITS,
      tier: 'javascript' as const,
      modules: [],
      code: [],
      code_bytes: 1,
    }
  }

  async call(call: BackendCall): Promise<BackendResult> {
    this.calls.push(call)
    const aborted = new Promise<never>((_, reject) => {
      call.signal?.addEventListener('abort', () => reject(new MeshError('E_CANCELLED', 'the caller cancelled')))
    })
    const outcome = await Promise.race([this.#answer(decodeValue(call.input), call.signal), aborted])
    return { ...resultOf(outcome), ...(call.receipt ? { receiptFile: Uint8Array.of(1) } : {}) }
  }

  async *map(map: BackendMap): AsyncGenerator<BackendMapItem[]> {
    this.maps.push(map)
    const underWay: Promise<BackendMapItem>[] = []
    let index = 0
    try {
      for (;;) {
        const inputs = await map.inputs.take(this.#window - underWay.length)
        if (inputs.length === 0) break
        this.pulled += inputs.length
        for (const input of inputs) underWay.push(this.#item(index++, input, map))
        if (underWay.length >= this.#window) yield [await (underWay.shift() as Promise<BackendMapItem>)]
      }
      yield await Promise.all(underWay)
    } finally {
      await map.inputs.close()
    }
  }

  async close() {
    this.closed++
  }

  async #item(index: number, input: Uint8Array, map: BackendMap): Promise<BackendMapItem> {
    try {
      return { index, result: await this.call({ ...map, input, receipt: false }) }
    } catch (cause) {
      return { index, error: failureOf(cause) }
    }
  }
}

/** A host that bundles whatever it is asked for, and counts. */
export class FakeHost implements Pick<SdkHost, 'bundle'> {
  readonly sources: (string | URL)[] = []
  /** Of wayside.json. */
  verify: string | undefined
  timeoutMs: number | undefined
  effects: string[] = []
  env: Grants | undefined
  /** Thrown instead, once. */
  failure: MeshError | undefined

  async bundle(source: string | URL) {
    this.sources.push(source)
    const { failure, timeoutMs, verify, effects, env } = this
    this.failure = undefined
    if (failure) throw failure
    const bundle = {
      code: new TextEncoder().encode('export default (x) => x'),
      name: 'f',
      exports: ['default'],
      effects,
      ...(timeoutMs ? { limits: { timeoutMs, fuel: 11 } } : {}),
      ...(verify ? { verify } : {}),
      ...(env ? { env } : {}),
    }
    return {
      bundle,
      warnings: [],
      files: [],
      readStack: (stack: string) => stack.replace('function.js:1:1', 'f.ts:9:9'),
    }
  }
}
