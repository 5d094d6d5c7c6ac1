/** The home of one invocation: keeps its journal, and answers what its function requests. */
import { isDeferred, isRead, largePutIn } from '../protocol/effects.ts'
import { type ErrorCode, MeshError } from '../protocol/errors.ts'
import { type Answer, awaitedIn, type EffectRequest, type Guess } from '../protocol/journal.ts'
import { MESSAGE_CHARS_MAX, MIB, OUTPUT_BYTES_MAX, PUT_BLOCKS_MAX } from '../protocol/limits.ts'
import type { Item } from './calls.ts'
import type { BeginEffects, Effects, Foreseen } from './effects/effects.ts'
import { endsGuessing } from './guesses.ts'
import type { Rehearsals } from './rehearsals.ts'

/** More than any run can request: its arguments and result together stay below this in the sandbox. */
const REQUEST_BYTES_MAX = OUTPUT_BYTES_MAX + MIB
/** The journal must fit a frame, for whoever goes on with the item or verifies it. */
const ANSWER_BYTES_MAX = OUTPUT_BYTES_MAX

/** Where an execution of the item runs now: answers go there. */
export interface AnswerSink {
  answer(n: number, answer: Answer): void
  /** Ends it: it has requested what its function does not. */
  refuse(reason: string): void
}

const failed = (code: ErrorCode, message: string): Answer => ({
  ok: false,
  code,
  message: message.slice(0, MESSAGE_CHARS_MAX),
})

export class Home {
  readonly #item: Item
  readonly #begin: BeginEffects
  readonly #rehearsals: Pick<Rehearsals, 'rehearse'> | undefined
  #effects: Effects
  /** They began with a journal that was cut since: what was proven of it they go on with. */
  readonly #earlier: Effects[] = []
  #sink: AnswerSink | undefined
  /** The journal was cut since the sink was given it. */
  #isCut = false
  /** Requests that were recorded and not answered, by the answers to come. */
  readonly #underWay = new Map<number, Promise<Answer>>()
  /** Until the answer to a request that may read state is recorded, and which that is. */
  readonly #reading = new Map<Promise<void>, number>()
  /** Requests recorded. */
  readonly #made = new Set<number>()
  #requestBytes = 0
  /** Of all that was put. */
  #putBlocks = 0
  #answerBytes = 0
  /** Reads that travel with the item; undefined: it was made. */
  #foreseen: (Foreseen | undefined)[] = []

  /** Without `rehearsals` it believes what is requested: its own sandbox does. */
  constructor(item: Item, begin: BeginEffects, rehearsals?: Pick<Rehearsals, 'rehearse'>) {
    this.#item = item
    this.#begin = begin
    this.#rehearsals = rehearsals
    this.#effects = begin(item)
    this.#readJournal()
  }

  /** Nothing that was requested is under way: who waits, waits in vain. */
  get owesNothing(): boolean {
    return this.#underWay.size === 0
  }

  /** Later answers go to `sink`; those already in the journal were given to it at its start. */
  attach(sink: AnswerSink): void {
    this.#sink = sink
    this.#isCut = false
    this.#item.kept?.attached(this.#item, this, sink)
  }

  /** Reads what its function is likely to ask for first. */
  async foresee(): Promise<void> {
    if (this.#item.journal.length > 0) return
    this.#foreseen = await this.#effects.foresee()
    for (const one of this.#foreseen) this.#answerBytes += one?.guess.value.length ?? 0
  }

  /** What travels with the item: nothing, once something was requested. */
  get guesses(): readonly Guess[] {
    return this.#item.journal.length > 0 ? [] : this.#foreseen.flatMap((one) => one?.guess ?? [])
  }

  /** Records a read that was answered from what travelled with the item in this place, with that answer. */
  onGuessed(sink: AnswerSink, n: number, after: number, place: number): void {
    if (sink !== this.#sink || this.#made.has(n)) return
    const foreseen = this.#foreseen[place]
    // Its executor could not know which of the answers came first.
    if (!foreseen || this.#underWay.size > 0) return sink.refuse(`request ${n} was answered by nobody`)
    this.#foreseen[place] = undefined
    const { value, ...read } = foreseen.guess
    const effect = { n, after, ...read }
    this.#recordRequest(effect)
    foreseen.use(effect)
    const { journal, proven, kept } = this.#item
    const entry = { entry: 'answer' as const, n, answer: { ok: true as const, value } }
    journal.push(entry)
    proven.answered(n, entry.answer)
    kept?.answered(entry)
  }

  /** Records a request and performs it. One that is recorded already is being performed. */
  onRequest(sink: AnswerSink, effect: EffectRequest): void {
    if (sink !== this.#sink || this.#made.has(effect.n)) return
    const { proven } = this.#item
    if (proven.has(effect.n) && !proven.isRequest(effect))
      return sink.refuse(`request ${effect.n} is none that its function makes`)
    const blocks = largePutIn(effect.kind, effect.arguments)?.blocks.length ?? 0
    if (this.#putBlocks + blocks > PUT_BLOCKS_MAX)
      return sink.refuse(`what it puts comes to over ${PUT_BLOCKS_MAX} blocks`)
    if (endsGuessing(effect.kind)) this.#foreseen = []
    this.#recordRequest(effect)
    if (isDeferred(effect.kind)) return
    // What another execution of the call has come to already is done once.
    const recorded = this.#record(effect.n, proven.underWay(effect.n) ?? this.#perform(effect, sink))
    // A call may read what its caller may.
    if (!isRead(effect.kind) && effect.kind !== 'call') return
    this.#reading.set(recorded, effect.n)
    recorded.finally(() => this.#reading.delete(recorded))
  }

  /** Performs what its journal has no answer to yet: another home, or this one with another executor, had begun it. */
  goOn(): void {
    const { journal } = this.#item
    const awaited = awaitedIn(journal)
    for (const one of journal) {
      if (one.entry === 'answer' || !awaited.has(one.n) || this.#underWay.has(one.n)) continue
      this.#record(one.n, this.#perform(one, undefined))
    }
  }

  /** Forgets what is not proven; false if the sink was given nothing of that. Answers under way to it are answers to nobody. */
  startOver(): boolean {
    const { journal, proven } = this.#item
    if (journal.every(({ n }) => proven.has(n))) return this.#isCut
    this.#isCut = true
    journal.splice(0, journal.length, ...proven.journal)
    this.#item.kept?.startOver(journal)
    for (const n of [...this.#underWay.keys()]) if (!proven.has(n)) this.#underWay.delete(n)
    if (this.#underWay.size > 0) this.#earlier.push(this.#effects)
    else this.#effects.close()
    this.#effects = this.#begin(this.#item)
    this.#foreseen = []
    this.#made.clear()
    this.#requestBytes = 0
    this.#putBlocks = 0
    this.#answerBytes = 0
    this.#readJournal()
    return true
  }

  /** The item has ended: what it still waits for is given up. */
  close(): void {
    this.#underWay.clear()
    for (const effects of [...this.#earlier, this.#effects]) effects.close()
  }

  #readJournal(): void {
    const { journal, proven } = this.#item
    const awaited = awaitedIn(journal)
    for (const entry of journal) {
      if (entry.entry === 'answer') this.#answerBytes += entry.answer.ok ? entry.answer.value.length : 0
      else this.#noteRequest(entry)
    }
    for (const entry of journal) {
      const { n } = entry
      if (entry.entry === 'answer' || !awaited.has(n) || !proven.has(n) || this.#underWay.has(n)) continue
      this.#record(n, proven.underWay(n) ?? this.#perform(entry, undefined))
    }
  }

  #recordRequest(effect: EffectRequest): void {
    this.#noteRequest(effect)
    if (this.#requestBytes > REQUEST_BYTES_MAX) {
      throw new MeshError('E_MESSAGE_LIMIT', `requests of one item came to ${this.#requestBytes} bytes`)
    }
    this.#item.journal.push({ entry: 'request', ...effect })
    this.#item.kept?.requested(effect)
  }

  #noteRequest({ n, kind, arguments: encoded }: EffectRequest): void {
    this.#made.add(n)
    this.#requestBytes += encoded.length
    const put = largePutIn(kind, encoded)
    if (!put) return
    this.#putBlocks += put.blocks.length
    this.#item.request.steps?.expect(put)
  }

  async #record(n: number, performing: Promise<Answer>): Promise<void> {
    const { journal, proven, kept } = this.#item
    this.#underWay.set(n, performing)
    const found = await performing
    if (this.#underWay.get(n) !== performing) return
    const entry = { entry: 'answer' as const, n, answer: this.#withinLimit(found) }
    // What cannot be kept is not answered; whoever keeps it ends the call.
    if (kept && !(await kept.answered(entry))) return
    if (this.#underWay.get(n) !== performing) return
    this.#underWay.delete(n)
    journal.push(entry)
    proven.answered(n, entry.answer)
    this.#sink?.answer(n, entry.answer)
  }

  /** Never rejects. `by`: who requested it. */
  #perform(effect: EffectRequest, by: AnswerSink | undefined): Promise<Answer> {
    const { promise, resolve } = Promise.withResolvers<Answer>()
    this.#effects
      .perform(
        effect,
        () => this.#prove(effect, by, promise),
        () => this.#reach(effect, by, promise),
      )
      .catch((cause) => {
        if (cause instanceof MeshError) return failed(cause.code, cause.message)
        return failed('E_INTERNAL', `the ${effect.kind} failed`)
      })
      .then(resolve)
    return promise
  }

  /** Resolves once the steps before this request have ended: the function itself has come to it, and what it wrote is committed. */
  async #prove(effect: EffectRequest, by: AnswerSink | undefined, performing: Promise<Answer>): Promise<void> {
    const { proven, kept, request } = this.#item
    const reached = this.#reach(effect, by, performing)
    const isEnded = request.steps
      ? await request.steps.end(this.#item, effect.n, reached)
      : await reached.then(() => true)
    // What was requested since is a step's that has to run again.
    if (!isEnded) this.close()
    this.#ensureAwaited(effect.n, performing)
    // What is sent is seen to its end, whoever waits for it. A timer ends with this home, and the next one begins what is left.
    if (effect.kind !== 'sleep') proven.promise(effect.n, performing)
    // It is known to have been about to be done, however this home ends.
    if (kept && !(await kept.intends())) throw new MeshError('E_CANCELLED', 'what is to be done cannot be kept')
  }

  /** Resolves once the function itself is known to have come to this request, and all that it has read before is recorded. */
  async #reach(effect: EffectRequest, by: AnswerSink | undefined, performing: Promise<Answer>): Promise<void> {
    const { proven, journal } = this.#item
    const { n } = effect
    const made = proven.has(n) || !this.#rehearsals ? n + 1 : await this.#rehearsals.rehearse(this.#item, effect)
    if (made <= n) {
      this.#ensureAwaited(n, performing)
      proven.add(journal, made)
      const reason = `request ${n} is none that its function makes`
      this.startOver()
      if (by === this.#sink) by?.refuse(reason)
      throw new MeshError('E_VERIFICATION_FAILED', reason)
    }
    await Promise.all([...this.#reading].map(([recorded, read]) => (read < n ? recorded : undefined)))
    this.#ensureAwaited(n, performing)
    proven.add(journal, made)
  }

  #ensureAwaited(n: number, performing: Promise<Answer>): void {
    if (this.#underWay.get(n) === performing) return
    throw new MeshError('E_CANCELLED', 'the journal was cut before this request')
  }

  #withinLimit(answer: Answer): Answer {
    if (!answer.ok) return answer
    const bytes = this.#answerBytes + answer.value.length
    if (bytes > ANSWER_BYTES_MAX) {
      const message = `the answers to all requests come to over ${ANSWER_BYTES_MAX} bytes; ask for less at a time`
      return failed('E_OUTPUT_LIMIT', message)
    }
    this.#answerBytes = bytes
    return answer
  }
}
