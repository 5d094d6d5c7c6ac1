/** Effects that go to a binding of the function, within what its caller grants. */
import { MeshError } from '../../protocol/errors.ts'
import type { Answer, EffectRequest } from '../../protocol/journal.ts'
import { ANSWER_BLOCKS_MAX, GUESS_BYTES_MAX, KIB, STATE_BLOCK_BYTES } from '../../protocol/limits.ts'
import type { Ports } from '../../protocol/ports.ts'
import { encodeValue } from '../../protocol/values.ts'
import type { Item } from '../calls.ts'
import { countedBytes, GrantedRequests } from '../grants.ts'
import { blocksIn } from '../large-answers.ts'
import type { LikelyRead, ReadCounts } from '../state/foresight.ts'
import type { Effects, Foreseen } from './effects.ts'
import { authorityOf, Fetching } from './fetch.ts'
import { OwnWrites } from './own-writes.ts'
import { answerRead } from './state.ts'

/** Of what travels with one call: with more its first bytes would come later than a round trip takes. */
const GUESSES_BYTES_MAX = 64 * KIB
const NEVER = new AbortController().signal

export class BoundEffects implements Effects {
  readonly #item: Item
  readonly #fetching: Fetching
  readonly #granted: GrantedRequests
  readonly #own: OwnWrites
  readonly #closed = new AbortController()
  /** Of large answers. */
  #blocks: number
  /** Where an executor reads, and not this peer. */
  #counts: ReadCounts | undefined
  /** Answers that the function had been given when it was last waited for a read. */
  #askedAfter = -1

  constructor(ports: Pick<Ports, 'clock' | 'log' | 'web' | 'secrets'>, item: Item) {
    this.#item = item
    this.#fetching = new Fetching(ports)
    this.#granted = new GrantedRequests(item.manifest.env, item.request.grants)
    this.#own = new OwnWrites(item.journal, item.request)
    for (const entry of item.journal) this.#granted.note(entry)
    this.#blocks = blocksIn(item.journal).length
  }

  async perform(request: EffectRequest, proven: () => Promise<void>, reached: () => Promise<void>): Promise<Answer> {
    const { kind } = request
    switch (kind) {
      case 'get':
      case 'list': {
        this.#count(request)
        const granted = this.#granted.admit(kind, request)
        const step = await this.#item.request.steps?.current()
        // An executor may have named any blocks.
        if (step && this.#own.hasLarge(step.from, request.n)) await reached()
        const value = await answerRead(step && this.#own.over(step.reads, step.from, request.n), granted)
        const answer = await this.#answerOf(value)
        this.#granted.answered(request.n, countedBytes(answer))
        return answer
      }
      case 'fetch':
        return this.#fetch(request, proven)
      default:
        throw new MeshError('E_GRANT', `${kind}: this home performs none`)
    }
  }

  /** A large one is fetched by whoever runs the function, like its code: the journal stays small. */
  async #answerOf(value: Uint8Array): Promise<Answer> {
    const { steps } = this.#item.request
    if (value.length <= STATE_BLOCK_BYTES || !steps) return { ok: true, value }
    this.#blocks += Math.ceil(value.length / STATE_BLOCK_BYTES)
    if (this.#blocks > ANSWER_BLOCKS_MAX) {
      const message = `the answers to all reads come to over ${ANSWER_BLOCKS_MAX * STATE_BLOCK_BYTES} bytes; ask for less`
      throw new MeshError('E_OUTPUT_LIMIT', message)
    }
    return { ok: true, value: new Uint8Array(), blocks: await steps.keepBlocks(value) }
  }

  async foresee(): Promise<Foreseen[]> {
    const { foresight } = this.#item.request
    this.#counts = foresight?.counts
    const likely = foresight?.of(this.#item.request) ?? []
    const found = await Promise.all(likely.map((read) => this.#foreseen(read)))
    let bytes = 0
    return found.filter((one) => {
      if (!one || bytes + one.guess.value.length > GUESSES_BYTES_MAX) return false
      bytes += one.guess.value.length
      return true
    }) as Foreseen[]
  }

  close(): void {
    this.#closed.abort()
  }

  /** A read that an executor waits for. */
  #count({ after }: EffectRequest): void {
    if (!this.#counts) return
    this.#counts.asked++
    if (after > this.#askedAfter) this.#counts.waits++
    this.#askedAfter = Math.max(this.#askedAfter, after)
  }

  /** Undefined: it is not granted, or too large; or it is counted, and then nobody knows before how much of it is left. */
  async #foreseen({ kind, binding, text, limit }: LikelyRead): Promise<Foreseen | undefined> {
    const { request, manifest } = this.#item
    const encoded = encodeValue(kind === 'get' ? { binding, key: text } : { binding, prefix: text, after: null, limit })
    try {
      const granted = new GrantedRequests(manifest.env, request.grants).admit(kind, { n: 0, arguments: encoded })
      const beside = (await request.steps?.current())?.reads.beside()
      if (!beside || granted.grant.requests !== undefined || granted.grant.bytes !== undefined) return undefined
      const value = await answerRead(beside.reads, granted)
      if (value.length > GUESS_BYTES_MAX) return undefined
      const use = (made: EffectRequest) => {
        if (this.#counts) this.#counts.foreseen++
        this.#granted.note({ entry: 'request', ...made })
        beside.note()
      }
      return { guess: { kind, arguments: encoded, value }, use }
    } catch (cause) {
      if (cause instanceof MeshError) return undefined
      throw cause
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
}
