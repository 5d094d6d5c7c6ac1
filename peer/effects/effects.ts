/** Performs what one item's function requests, from where its journal begins. */
import { decodeArguments } from '../../protocol/effects.ts'
import { MeshError } from '../../protocol/errors.ts'
import type { Answer, EffectRequest, Guess } from '../../protocol/journal.ts'
import type { Ports } from '../../protocol/ports.ts'
import { encodeValue } from '../../protocol/values.ts'
import type { Item, NestedCall } from '../calls.ts'
import type { HomeKit } from '../home-kit.ts'
import { Calls } from './call.ts'
import { answerNow } from './now.ts'
import { Sleeps } from './sleep.ts'

/** A read that the function is likely to ask for. */
export interface Foreseen {
  guess: Guess
  /** It was asked for: from then on it counts, and is part of what its step has read. */
  use(request: EffectRequest): void
}

/**
 * A durable invocation that sleeps for longer commits first what it has done: meanwhile others may change what it has read,
 * and it would begin anew. For less the commit is not worth its while.
 */
const STEP_SLEEP_MS = 1000

/** The effects of one item. Begun anew with its journal. */
export interface Effects {
  /**
   * Rejects with MeshError for what the function is told, by its code. Never called for what is deferred. `proven`
   * resolves once nobody has made the request up; a barrier waits for it. `reached` does, too, and ends no step: all that was
   * put before is here.
   */
  perform(request: EffectRequest, proven: () => Promise<void>, reached: () => Promise<void>): Promise<Answer>
  /** What it is likely to read first. */
  foresee(): Promise<Foreseen[]>
  /** Nobody waits for any of them any more. */
  close(): void
}

/** As many as are needed for one item, one after another. */
export type BeginEffects = (item: Item) => Effects

type EffectPorts = Pick<Ports, 'clock' | 'crypto' | 'random' | 'log' | 'web' | 'secrets'>

/** Without `kit` nothing that goes to a binding. */
export const createEffects =
  (ports: EffectPorts, nested: NestedCall, kit?: Pick<HomeKit, 'BoundEffects'>): BeginEffects =>
  (item) =>
    new ItemEffects(ports, item, nested, kit)

class ItemEffects implements Effects {
  readonly #ports: EffectPorts
  readonly #item: Item
  readonly #calls: Calls
  readonly #sleeps: Sleeps
  readonly #bound: Effects | undefined

  constructor(ports: EffectPorts, item: Item, nested: NestedCall, kit: Pick<HomeKit, 'BoundEffects'> | undefined) {
    this.#ports = ports
    this.#item = item
    this.#calls = new Calls(ports, item, nested)
    this.#sleeps = new Sleeps(ports.clock, item.deadlineMs)
    this.#bound = kit && new kit.BoundEffects(ports, item)
  }

  async perform(request: EffectRequest, proven: () => Promise<void>, reached: () => Promise<void>): Promise<Answer> {
    const { kind, arguments: encoded } = request
    switch (kind) {
      case 'call':
        return this.#calls.perform(request, proven)
      case 'sleep': {
        const { ms } = decodeArguments(kind, encoded)
        if (ms > STEP_SLEEP_MS && this.#item.request.durable) await proven()
        await this.#sleeps.sleep(this.#leftOf(request.n, ms))
        return ok(encodeValue(null))
      }
      case 'now':
        decodeArguments(kind, encoded)
        return ok(answerNow(this.#ports.clock))
      case 'random':
        return ok(encodeValue(this.#ports.random.bytes(decodeArguments(kind, encoded).bytes)))
      default:
        if (this.#bound) return this.#bound.perform(request, proven, reached)
        throw new MeshError('E_GRANT', `${kind}: this home performs none`)
    }
  }

  async foresee(): Promise<Foreseen[]> {
    return this.#bound ? this.#bound.foresee() : []
  }

  /** Of a sleep that an earlier home of a durable invocation began. */
  #leftOf(n: number, ms: number): number {
    const { clock } = this.#ports
    const askedMs = this.#item.kept?.askedMs(n) ?? clock.now()
    return Math.min(ms, Math.max(0, askedMs + ms - clock.now()))
  }

  close(): void {
    this.#sleeps.close()
    this.#bound?.close()
  }
}

const ok = (value: Uint8Array): Answer => ({ ok: true, value })
