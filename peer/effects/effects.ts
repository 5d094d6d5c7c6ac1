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
  /** Rejects with MeshError for what the function is told, by its code. Never called for what is deferred. */
  perform(request: EffectRequest): Promise<Answer>
  /** Nobody waits for any of them any more. */
  close(): void
}

/** As many as are needed for one item, one after another. */
export type BeginEffects = (item: Item) => Effects

/**
 * Resolves once the journal of `item` is known to lead to `request`: nobody made it up. Rejects with MeshError if that
 * is not so, or cannot be known.
 */
export type Verified = (item: Item, request: EffectRequest) => Promise<void>

/** Of what this peer executes itself. */
export const ownExecution: Verified = async () => {}

/** Of what others execute. */
export const unverified: Verified = async () => {
  const message = 'a fetch that its grant does not mark "read" is made only where the home runs the function itself'
  throw new MeshError('E_GRANT', message)
}

type EffectPorts = Pick<Ports, 'clock' | 'random' | 'log' | 'web' | 'secrets'>

export const createEffects =
  (ports: EffectPorts, nested: NestedCall, verified: Verified): BeginEffects =>
  (item) =>
    new ItemEffects(ports, item, nested, verified)

class ItemEffects implements Effects {
  readonly #ports: EffectPorts
  readonly #item: Item
  readonly #calls: Calls
  readonly #sleeps: Sleeps
  readonly #fetching: Fetching
  readonly #granted: GrantedRequests
  readonly #verified: Verified
  readonly #closed = new AbortController()

  constructor(ports: EffectPorts, item: Item, nested: NestedCall, verified: Verified) {
    this.#ports = ports
    this.#item = item
    this.#calls = new Calls(item, ports.clock, nested)
    this.#sleeps = new Sleeps(ports.clock, item.deadlineMs)
    this.#fetching = new Fetching(ports)
    this.#verified = verified
    this.#granted = new GrantedRequests(item.manifest.env, item.request.grants)
    for (const entry of item.journal) this.#granted.note(entry)
  }

  async perform(request: EffectRequest): Promise<Answer> {
    const { kind, arguments: encoded } = request
    switch (kind) {
      case 'call':
        return this.#calls.perform(decodeArguments(kind, encoded))
      case 'sleep':
        await this.#sleeps.sleep(decodeArguments(kind, encoded).ms)
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
        return this.#fetch(request)
      default:
        throw new MeshError('E_GRANT', `${kind}: this home performs none`)
    }
  }

  async #fetch(request: EffectRequest): Promise<Answer> {
    const granted = this.#granted.admit('fetch', request)
    const fetch = this.#fetching.prepare(granted.args, authorityOf(this.#item, granted))
    if (granted.grant.read !== true) await this.#verified(this.#item, request)
    const answer = await fetch.send(this.#closed.signal)
    if (answer.ok) this.#granted.answered(request.n, answer.value.length)
    return answer
  }

  close(): void {
    this.#sleeps.close()
    this.#closed.abort()
  }
}

const ok = (value: Uint8Array): Answer => ({ ok: true, value })
