/** The effect `call`: another export or function, within what is left to the caller. */
import { type CID, ensureCid, isCidText } from '../../protocol/cid.ts'
import type { ArgumentsOf } from '../../protocol/effects.ts'
import { MeshError } from '../../protocol/errors.ts'
import type { Answer } from '../../protocol/journal.ts'
import { CALL_DEPTH_MAX } from '../../protocol/limits.ts'
import type { Clock } from '../../protocol/ports.ts'
import { encodeValue } from '../../protocol/values.ts'
import type { CallRequest, CallSteps, Item, NestedCall } from '../calls.ts'
import { readOnly } from '../grants.ts'
import { Proven } from '../proven.ts'

/** What a nested call reads belongs to the step of its caller, and nothing of its own does. */
const within = (steps: CallSteps): CallSteps => ({
  proven: new Proven(),
  inTurn: false,
  current: async () => ({ ...(await steps.current()), from: 0 }),
  end: (_item, _n, reached) => reached.then(() => true),
})

/** The calls of one item. */
export class Calls {
  readonly #item: Item
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #call: NestedCall
  /** Fuel that nested calls have used so far: each may use what is left when it begins. */
  #fuelSpent = 0

  constructor(item: Item, clock: Pick<Clock, 'monotonic'>, call: NestedCall) {
    this.#item = item
    this.#clock = clock
    this.#call = call
  }

  async perform(args: ArgumentsOf<'call'>): Promise<Answer> {
    const { fuel, result } = await this.#call(this.#nested(args))
    this.#fuelSpent += fuel
    return result.ok ? { ok: true, value: result.value } : { ok: false, code: result.code, message: result.message }
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
      grants: target.function === request.function ? readOnly(request.grants) : undefined,
      input: encodeValue(input ?? null),
      limits: { ...own, fuel: Math.min(fuelLeft, options?.fuel ?? fuelLeft) },
      timeoutMs: Math.min(leftMs, options?.timeoutMs ?? leftMs),
      steps: request.steps && within(request.steps),
      durable: undefined,
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
