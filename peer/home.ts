/** The home of one invocation: keeps its journal, and answers what its function requests. */
import { type CID, ensureCid, isCidText } from '../protocol/cid.ts'
import { type ArgumentsOf, decodeArguments, isDeferred } from '../protocol/effects.ts'
import { type ErrorCode, MeshError } from '../protocol/errors.ts'
import type { Answer, EffectRequest } from '../protocol/journal.ts'
import { CALL_DEPTH_MAX, MESSAGE_CHARS_MAX, MIB, OUTPUT_BYTES_MAX } from '../protocol/limits.ts'
import type { Clock } from '../protocol/ports.ts'
import { encodeValue } from '../protocol/values.ts'
import type { CallRequest, Item, NestedCall } from './calls.ts'
import { Sleeps } from './sleeps.ts'

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
  readonly #clock: Pick<Clock, 'monotonic' | 'after'>
  readonly #call: NestedCall
  readonly #sleeps: Sleeps
  #sink: AnswerSink | undefined
  /** Grows when the journal begins anew. */
  #generation = 0
  /** Requests recorded. */
  readonly #made = new Set<number>()
  #requestBytes = 0
  #answerBytes = 0
  /** Fuel that nested calls have used so far: each may use what is left when it begins. */
  #fuelSpent = 0

  constructor(item: Item, clock: Pick<Clock, 'monotonic' | 'after'>, call: NestedCall) {
    this.#item = item
    this.#clock = clock
    this.#call = call
    this.#sleeps = new Sleeps(clock, item.deadlineMs)
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
    this.#sleeps.close()
    this.#made.clear()
    this.#requestBytes = 0
    this.#answerBytes = 0
    this.#fuelSpent = 0
    return true
  }

  /** The item has ended: what it still waits for is given up. */
  close(): void {
    this.#generation++
    this.#sleeps.close()
  }

  #noteRequest({ n, arguments: { length } }: EffectRequest): void {
    this.#made.add(n)
    this.#requestBytes += length
  }

  async #perform(effect: EffectRequest): Promise<Answer> {
    const generation = this.#generation
    try {
      if (effect.kind === 'sleep') {
        await this.#sleeps.sleep(decodeArguments('sleep', effect.arguments).ms)
        return { ok: true, value: encodeValue(null) }
      }
      if (effect.kind !== 'call') return failed('E_GRANT', `this home grants no ${effect.kind}`)
      const outcome = await this.#call(this.#nested(decodeArguments('call', effect.arguments)))
      if (generation === this.#generation) this.#fuelSpent += outcome.fuel
      const { result } = outcome
      return result.ok ? { ok: true, value: result.value } : { ok: false, code: result.code, message: result.message }
    } catch (cause) {
      if (cause instanceof MeshError) return failed(cause.code, cause.message)
      return failed('E_INTERNAL', `the ${effect.kind} failed`)
    }
  }

  #withinLimit(answer: Answer): Answer {
    if (!answer.ok) return answer
    const bytes = this.#answerBytes + answer.value.length
    if (bytes > ANSWER_BYTES_MAX) {
      const message = `ctx.call: the results of all calls come to over ${ANSWER_BYTES_MAX} bytes; let them return less`
      return failed('E_OUTPUT_LIMIT', message)
    }
    this.#answerBytes = bytes
    return answer
  }

  #nested({ ref, input, options }: ArgumentsOf<'call'>): CallRequest {
    const { request, template, deadlineMs } = this.#item
    if (request.depth + 1 > CALL_DEPTH_MAX)
      throw new MeshError('E_CALL_DEPTH', `calls are nested over ${CALL_DEPTH_MAX} deep`)
    const target = this.#resolve(ref)
    const own = template.environment.limits
    const fuelLeft = own.fuel - this.#fuelSpent
    if (fuelLeft <= 0) throw new MeshError('E_FUEL_LIMIT', 'nested calls have used up the fuel of their caller')
    const leftMs = Math.floor(deadlineMs - this.#clock.monotonic())
    if (leftMs <= 0) throw new MeshError('E_TIMEOUT', 'the deadline of the caller has passed')
    return {
      ...request,
      ...target,
      input: encodeValue(input ?? null),
      limits: { ...own, fuel: Math.min(fuelLeft, options?.fuel ?? fuelLeft) },
      timeoutMs: Math.min(leftMs, options?.timeoutMs ?? leftMs),
      depth: request.depth + 1,
    }
  }

  #resolve(ref: string): { function: CID; export: string } {
    if (ref.startsWith('#')) return { function: this.#item.request.function, export: ref.slice(1) || 'default' }
    const [cid = '', name = 'default'] = ref.split('#')
    if (isCidText(cid)) return { function: ensureCid(cid), export: name }
    throw new MeshError('E_USAGE', `ctx.call: ${ref} is neither "#export" nor a CID`)
  }
}
