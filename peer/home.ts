/** The home of one invocation: keeps its journal, and answers what its function requests. */
import { type CID, ensureCid, isCidText } from '../protocol/cid.ts'
import { MeshError } from '../protocol/errors.ts'
import type { Answer, EffectRequest } from '../protocol/journal.ts'
import { CALL_DEPTH_MAX } from '../protocol/limits.ts'
import type { Clock } from '../protocol/ports.ts'
import { decodeValue, encodeValue, type Value } from '../protocol/values.ts'
import type { CallRequest, Item, NestedCall } from './calls.ts'

/** Where an execution of the item runs now: answers go there. */
export interface AnswerSink {
  answer(n: number, answer: Answer): void
}

/** What `ctx.call` passes: which function, its input, and bounds that can only tighten. */
interface CallArguments {
  ref: string
  input: Value
  options: { fuel?: number; timeoutMs?: number }
}

const ensureCallArguments = (encoded: Uint8Array): CallArguments => {
  const value = decodeValue(encoded)
  const record =
    typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, Value>) : {}
  if (typeof record.ref !== 'string')
    throw new MeshError('E_USAGE', 'ctx.call: the first argument is "#export", a CID or CID#export')
  const options = (record.options ?? {}) as Record<string, Value>
  const bound = (name: string): number | undefined => {
    const given = options[name] ?? undefined
    if (given === undefined || (typeof given === 'number' && given > 0)) return given
    throw new MeshError('E_USAGE', `ctx.call: options.${name} must be a positive number`)
  }
  const fuel = bound('fuel')
  const timeoutMs = bound('timeoutMs')
  return {
    ref: record.ref,
    input: record.input ?? null,
    options: { ...(fuel ? { fuel } : {}), ...(timeoutMs ? { timeoutMs } : {}) },
  }
}

export class Home {
  readonly #item: Item
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #call: NestedCall
  #sink: AnswerSink | undefined
  /** Fuel that nested calls have used so far. */
  #fuelSpent = 0

  constructor(item: Item, clock: Pick<Clock, 'monotonic'>, call: NestedCall) {
    this.#item = item
    this.#clock = clock
    this.#call = call
  }

  /** Later answers go to `sink`; those already in the journal were given to it at its start. */
  attach(sink: AnswerSink): void {
    this.#sink = sink
  }

  /** Records a request and performs it. One that is recorded already is being performed. */
  onRequest(sink: AnswerSink, effect: EffectRequest): void {
    if (sink !== this.#sink) return
    const { journal } = this.#item
    if (journal.some((entry) => entry.entry === 'request' && entry.n === effect.n)) return
    journal.push({ entry: 'request', ...effect })
    this.#perform(effect).then((answer) => {
      journal.push({ entry: 'answer', n: effect.n, answer })
      this.#sink?.answer(effect.n, answer)
    })
  }

  async #perform(effect: EffectRequest): Promise<Answer> {
    try {
      const outcome = await this.#call(this.#nested(ensureCallArguments(effect.arguments)))
      this.#fuelSpent += outcome.fuel
      const { result } = outcome
      return result.ok ? { ok: true, value: result.value } : { ok: false, code: result.code, message: result.message }
    } catch (cause) {
      const known = cause instanceof MeshError
      return { ok: false, code: known ? cause.code : 'E_INTERNAL', message: known ? cause.message : 'the call failed' }
    }
  }

  #nested({ ref, input, options }: CallArguments): CallRequest {
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
      input: encodeValue(input),
      limits: { ...own, fuel: Math.min(fuelLeft, options.fuel ?? fuelLeft) },
      timeoutMs: Math.min(leftMs, options.timeoutMs ?? leftMs),
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
