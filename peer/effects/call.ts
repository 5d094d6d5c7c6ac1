/**
 * The effect `call`: another export or function, within what is left to the caller. One that changes nothing is part of its
 * caller's step. One that may is a barrier, and a call of its own, whose ID is made of its caller's and the request's number.
 */
import { type CID, ensureCid, isCidText, recordCid } from '../../protocol/cid.ts'
import { encodeCanonical } from '../../protocol/codec.ts'
import { type ArgumentsOf, decodeArguments } from '../../protocol/effects.ts'
import { MeshError } from '../../protocol/errors.ts'
import type { Grants } from '../../protocol/grants.ts'
import type { Answer, EffectRequest } from '../../protocol/journal.ts'
import { CALL_DEPTH_MAX } from '../../protocol/limits.ts'
import type { Ports } from '../../protocol/ports.ts'
import { encodeValue } from '../../protocol/values.ts'
import { type CallRequest, type CallSteps, type Item, idOf, type NestedCall } from '../calls.ts'
import { mustBeVerified, uncounted } from '../grants.ts'
import { Proven } from '../proven.ts'

/** What a nested call reads belongs to the step of its caller, and nothing of its own does. */
const within = (steps: CallSteps): CallSteps => ({
  proven: new Proven(),
  signal: steps.signal,
  inTurn: false,
  current: async () => ({ ...(await steps.current()), from: 0 }),
  end: (_item, _n, reached) => reached.then(() => true),
  keepBlocks: (value) => steps.keepBlocks(value),
  expect: (put) => steps.expect(put),
  putBytes: (put) => steps.putBytes(put),
})

interface Target {
  function: CID
  export: string
  /** Its own. */
  grants: Grants | undefined
  isBarrier: boolean
}

type CallPorts = Pick<Ports, 'clock' | 'crypto'>

/** The calls of one item. */
export class Calls {
  readonly #ports: CallPorts
  readonly #item: Item
  readonly #call: NestedCall
  /** Fuel that nested calls have used so far: each may use what is left when it begins. */
  #fuelSpent = 0

  constructor(ports: CallPorts, item: Item, call: NestedCall) {
    this.#ports = ports
    this.#item = item
    this.#call = call
  }

  async perform({ n, arguments: encoded }: EffectRequest, proven: () => Promise<void>): Promise<Answer> {
    const { depth, durable } = this.#item.request
    const args = decodeArguments('call', encoded)
    if (depth + 1 > CALL_DEPTH_MAX) throw new MeshError('E_CALL_DEPTH', `calls are nested over ${CALL_DEPTH_MAX} deep`)
    const target = this.#targetOf(args.ref)
    if (target.isBarrier) await proven()
    const request = this.#nested(args, target)
    const made = target.isBarrier ? this.#call(this.#apart(request, n), durable?.id) : this.#call(request)
    const { fuel, result } = await made
    this.#fuelSpent += fuel
    return result.ok ? { ok: true, value: result.value } : { ok: false, code: result.code, message: result.message }
  }

  #nested({ input, options }: ArgumentsOf<'call'>, target: Target): CallRequest {
    const { request, template, deadlineMs } = this.#item
    const own = template.environment.limits
    const fuelLeft = own.fuel - this.#fuelSpent
    if (fuelLeft <= 0) throw new MeshError('E_FUEL_LIMIT', 'nested calls have used up the fuel of their caller')
    const leftMs = Math.floor(deadlineMs - this.#ports.clock.monotonic())
    if (leftMs <= 0) throw new MeshError('E_TIMEOUT', 'the deadline of the caller has passed')
    return {
      ...request,
      ...{ function: target.function, export: target.export, grants: target.grants },
      input: encodeValue(input ?? null),
      limits: { ...own, fuel: Math.min(fuelLeft, options?.fuel ?? fuelLeft) },
      timeoutMs: Math.min(leftMs, options?.timeoutMs ?? leftMs),
      steps: request.steps && within(request.steps),
      durable: undefined,
      id: undefined,
      depth: request.depth + 1,
    }
  }

  /** Committed for itself, and not begun again where its caller's step is. */
  #apart(request: CallRequest, n: number): CallRequest {
    const { steps, signal } = this.#item.request
    const caller = ensureCid(idOf(this.#item))
    const id = recordCid(this.#ports.crypto, encodeCanonical({ v: 1, caller, n })).toString()
    return { ...request, id, steps: undefined, foresight: undefined, signal: steps ? steps.signal : signal }
  }

  #targetOf(ref: string): Target {
    const { request, manifest } = this.#item
    if (ref.startsWith('#')) {
      const grants = uncounted(request.grants)
      const isBarrier = grants !== undefined && mustBeVerified(manifest, grants)
      return { function: request.function, export: ref.slice(1) || 'default', grants, isBarrier }
    }
    const [cid = '', name = 'default'] = ref.split('#')
    if (isCidText(cid)) return { function: ensureCid(cid), export: name, grants: undefined, isBarrier: false }
    throw new MeshError('E_USAGE', `ctx.call: ${ref} is neither "#export" nor a CID`)
  }
}
