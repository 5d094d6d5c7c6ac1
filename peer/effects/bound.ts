/** Effects that go to a binding of the function, within what its caller grants. */
import { MeshError } from '../../protocol/errors.ts'
import type { Answer, EffectRequest } from '../../protocol/journal.ts'
import type { Ports } from '../../protocol/ports.ts'
import type { Item } from '../calls.ts'
import { GrantedRequests } from '../grants.ts'
import type { Effects } from './effects.ts'
import { authorityOf, Fetching } from './fetch.ts'
import { answerRead } from './state.ts'

const NEVER = new AbortController().signal

export class BoundEffects implements Effects {
  readonly #item: Item
  readonly #fetching: Fetching
  readonly #granted: GrantedRequests
  readonly #closed = new AbortController()

  constructor(ports: Pick<Ports, 'clock' | 'log' | 'web' | 'secrets'>, item: Item) {
    this.#item = item
    this.#fetching = new Fetching(ports)
    this.#granted = new GrantedRequests(item.manifest.env, item.request.grants)
    for (const entry of item.journal) this.#granted.note(entry)
  }

  async perform(request: EffectRequest, proven: () => Promise<void>): Promise<Answer> {
    const { kind } = request
    switch (kind) {
      case 'get':
      case 'list': {
        const value = await answerRead(this.#item.request.reads, this.#granted.admit(kind, request))
        this.#granted.answered(request.n, value.length)
        return { ok: true, value }
      }
      case 'fetch':
        return this.#fetch(request, proven)
      default:
        throw new MeshError('E_GRANT', `${kind}: this home performs none`)
    }
  }

  close(): void {
    this.#closed.abort()
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
}
