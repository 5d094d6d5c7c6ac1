/** Performs what one item's function requests, from where its journal begins. */
import { decodeArguments } from '../../protocol/effects.ts'
import { MeshError } from '../../protocol/errors.ts'
import type { Answer, EffectRequest } from '../../protocol/journal.ts'
import type { Ports } from '../../protocol/ports.ts'
import { encodeValue } from '../../protocol/values.ts'
import type { Item, NestedCall } from '../calls.ts'
import { GrantedRequests } from '../grants.ts'
import { Calls } from './call.ts'
import { authorityOf, Fetching } from './fetch.ts'
import { answerNow } from './now.ts'
import { Sleeps } from './sleep.ts'
import { answerRead } from './state.ts'

/** The effects of one item. Begun anew with its journal. */
export interface Effects {
  /**
   * Rejects with MeshError for what the function is told, by its code. Never called for what is deferred. `proven`
   * resolves once nobody has made the request up; a barrier waits for it.
   */
  perform(request: EffectRequest, proven: () => Promise<void>): Promise<Answer>
  /** Nobody waits for any of them any more. */
  close(): void
}

/** As many as are needed for one item, one after another. */
export type BeginEffects = (item: Item) => Effects

type EffectPorts = Pick<Ports, 'clock' | 'random' | 'log' | 'web' | 'secrets'>

export const createEffects =
  (ports: EffectPorts, nested: NestedCall): BeginEffects =>
  (item) =>
    new ItemEffects(ports, item, nested)

class ItemEffects implements Effects {
  readonly #ports: EffectPorts
  readonly #item: Item
  readonly #calls: Calls
  readonly #sleeps: Sleeps
  readonly #fetching: Fetching
  readonly #granted: GrantedRequests
  readonly #closed = new AbortController()

  constructor(ports: EffectPorts, item: Item, nested: NestedCall) {
    this.#ports = ports
    this.#item = item
    this.#calls = new Calls(item, ports.clock, nested)
    this.#sleeps = new Sleeps(ports.clock, item.deadlineMs)
    this.#fetching = new Fetching(ports)
    this.#granted = new GrantedRequests(item.manifest.env, item.request.grants)
    for (const entry of item.journal) this.#granted.note(entry)
  }

  async perform(request: EffectRequest, proven: () => Promise<void>): Promise<Answer> {
    const { kind, arguments: encoded } = request
    switch (kind) {
      case 'call':
        return this.#calls.perform(decodeArguments(kind, encoded))
      case 'sleep':
        await this.#sleeps.sleep(this.#leftOf(request.n, decodeArguments(kind, encoded).ms))
        return ok(encodeValue(null))
      case 'now':
        decodeArguments(kind, encoded)
        return ok(answerNow(this.#ports.clock))
      case 'random':
        return ok(encodeValue(this.#ports.random.bytes(decodeArguments(kind, encoded).bytes)))
      case 'get':
      case 'list': {
        const value = await answerRead(this.#item.request.reads, this.#granted.admit(kind, request))
        this.#granted.answered(request.n, value.length)
        return ok(value)
      }
      case 'fetch':
        return this.#fetch(request, proven)
      default:
        throw new MeshError('E_GRANT', `${kind}: this home performs none`)
    }
  }

  async #fetch(request: EffectRequest, proven: () => Promise<void>): Promise<Answer> {
    const granted = this.#granted.admit('fetch', request)
    const fetch = this.#fetching.prepare(granted.args, authorityOf(this.#item, granted))
    const isBarrier = granted.grant.read !== true
    if (isBarrier) await proven()
    if (isBarrier && granted.grant.onUnknown !== 'retry' && this.#item.request.durable?.isDoubtful(request.n)) {
      const message = `env.${granted.args.binding}: its home ended while this request was under way, which may have been performed`
      throw new MeshError('E_EFFECT_OUTCOME_UNKNOWN', message)
    }
    // What may have changed something is seen to its end: whoever goes on with the journal wants to know.
    const answer = await fetch.send(isBarrier ? NEVER : this.#closed.signal)
    if (answer.ok) this.#granted.answered(request.n, answer.value.length)
    return answer
  }

  /** Of a sleep that an earlier home of a durable invocation began. */
  #leftOf(n: number, ms: number): number {
    const { clock } = this.#ports
    const askedMs = this.#item.kept?.askedMs(n) ?? clock.now()
    return Math.min(ms, Math.max(0, askedMs + ms - clock.now()))
  }

  close(): void {
    this.#sleeps.close()
    this.#closed.abort()
  }
}

const NEVER = new AbortController().signal

const ok = (value: Uint8Array): Answer => ({ ok: true, value })
