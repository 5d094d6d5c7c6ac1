/** The home of one invocation: keeps its journal, and answers what its function requests. */
import { isDeferred } from '../protocol/effects.ts'
import { type ErrorCode, MeshError } from '../protocol/errors.ts'
import type { Answer, EffectRequest } from '../protocol/journal.ts'
import { MESSAGE_CHARS_MAX, MIB, OUTPUT_BYTES_MAX } from '../protocol/limits.ts'
import type { Item } from './calls.ts'
import type { BeginEffects, Effects } from './effects/effects.ts'

/** More than any run can request: its arguments and result together stay below this in the sandbox. */
const REQUEST_BYTES_MAX = OUTPUT_BYTES_MAX + MIB
/** The journal must fit a frame, for whoever goes on with the item or verifies it. */
const ANSWER_BYTES_MAX = OUTPUT_BYTES_MAX

/** Where an execution of the item runs now: answers go there. */
export interface AnswerSink {
  answer(n: number, answer: Answer): void
}

const failed = (code: ErrorCode, message: string): Answer => ({
  ok: false,
  code,
  message: message.slice(0, MESSAGE_CHARS_MAX),
})

export class Home {
  readonly #item: Item
  readonly #begin: BeginEffects
  #effects: Effects
  #sink: AnswerSink | undefined
  /** Grows when the journal begins anew. */
  #generation = 0
  /** Requests recorded. */
  readonly #made = new Set<number>()
  #requestBytes = 0
  #answerBytes = 0

  constructor(item: Item, begin: BeginEffects) {
    this.#item = item
    this.#begin = begin
    this.#effects = begin(item)
    for (const entry of item.journal) {
      if (entry.entry === 'request') this.#noteRequest(entry)
      else if (entry.answer.ok) this.#answerBytes += entry.answer.value.length
    }
  }

  /** Later answers go to `sink`; those already in the journal were given to it at its start. */
  attach(sink: AnswerSink): void {
    this.#sink = sink
  }

  /** Records a request and performs it. One that is recorded already is being performed. */
  onRequest(sink: AnswerSink, effect: EffectRequest): void {
    if (sink !== this.#sink || this.#made.has(effect.n)) return
    this.#noteRequest(effect)
    if (this.#requestBytes > REQUEST_BYTES_MAX) {
      throw new MeshError('E_MESSAGE_LIMIT', `requests of one item came to ${this.#requestBytes} bytes`)
    }
    const { journal } = this.#item
    const generation = this.#generation
    journal.push({ entry: 'request', ...effect })
    if (isDeferred(effect.kind)) return
    this.#perform(effect).then((found) => {
      if (generation !== this.#generation) return
      const answer = this.#withinLimit(found)
      journal.push({ entry: 'answer', n: effect.n, answer })
      this.#sink?.answer(effect.n, answer)
    })
  }

  /** Forgets what was recorded; false if that was nothing. Answers under way then are answers to nobody. */
  startOver(): boolean {
    const { journal } = this.#item
    if (journal.length === 0) return false
    journal.length = 0
    this.#generation++
    this.#effects.close()
    this.#effects = this.#begin(this.#item)
    this.#made.clear()
    this.#requestBytes = 0
    this.#answerBytes = 0
    return true
  }

  /** The item has ended: what it still waits for is given up. */
  close(): void {
    this.#generation++
    this.#effects.close()
  }

  #noteRequest({ n, arguments: { length } }: EffectRequest): void {
    this.#made.add(n)
    this.#requestBytes += length
  }

  async #perform(effect: EffectRequest): Promise<Answer> {
    try {
      return await this.#effects.perform(effect)
    } catch (cause) {
      if (cause instanceof MeshError) return failed(cause.code, cause.message)
      return failed('E_INTERNAL', `the ${effect.kind} failed`)
    }
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
