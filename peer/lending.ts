/** The lending side of a peer: the owner's policy, whether it is paused, what is offered, what has been refused. */

import type { Delegation } from '../protocol/delegation.ts'
import type { EffectKind } from '../protocol/effects.ts'
import type { Envelope } from '../protocol/envelope.ts'
import { type ErrorCode, MeshError } from '../protocol/errors.ts'
import type { Outcome } from '../protocol/outcome.ts'
import type { Ports } from '../protocol/ports.ts'
import type { Manifest, TaskTemplate } from '../protocol/records.ts'
import { runsTier } from '../protocol/tiers.ts'
import { type AdmissionView, admit } from './admission.ts'
import { ensureFor, openDelegation } from './durable/delegation-rules.ts'
import type { Executor } from './executor.ts'
import type { Acting, Admission, No } from './executor-parts.ts'
import { InvokerUsage } from './invoker-usage.ts'
import type { Load } from './load-news.ts'
import type { MembershipOffice } from './membership.ts'
import type { Neighbour, NeighbourTable } from './neighbours.ts'
import type { Offer } from './own-advertisement.ts'
import { type Asking, accepts, explainQuota, explainRefusal, type OwnerPolicy } from './owner-policy.ts'
import type { Tally } from './tally.ts'
import { quotaFuel } from './traces.ts'
import type { Usage } from './usage/usage.ts'
import type { WorkItem } from './work.ts'

const BETTER_MAX = 8
const SPEED_ALPHA = 0.2
/** Shorter runs measure the clock, not the machine. */
const SPEED_FUEL_MIN = 1_000_000

export interface Refusal {
  peer: string
  code: ErrorCode
  message: string
  /** Wall clock, ms. */
  at_ms: number
}

type LendingPorts = Pick<Ports, 'clock' | 'crypto'>

interface LendingParts {
  office: Pick<MembershipOffice, 'meshId'>
  neighbours: NeighbourTable
  executor: Executor
  tally: Tally
  usage?: Usage | undefined
}

interface LendingOptions {
  policy: OwnerPolicy
  engines: readonly string[]
  effects: readonly EffectKind[]
}

export class Lending implements Admission {
  readonly #ports: LendingPorts
  readonly #parts: LendingParts
  #options: LendingOptions
  readonly #usage: InvokerUsage
  /** How often better ones were asked for. */
  #asked = 0
  stopping = false
  lastRefusal: Refusal | undefined
  /** Wall-clock instant until which the owner has paused; Infinity: until resumed; 0: not paused. */
  pausedUntilMs = 0
  /** Fuel per ms of a run, smoothed; 0: not yet measured. */
  #speed = 0

  /** `parts` may be filled until the first neighbour comes. */
  constructor(ports: LendingPorts, parts: LendingParts, options: LendingOptions) {
    this.#ports = ports
    this.#parts = parts
    this.#options = options
    this.#usage = new InvokerUsage(ports.clock, options.policy.quota)
  }

  get policy(): OwnerPolicy {
    return this.#options.policy
  }

  resize(slots: number): void {
    this.#options = { ...this.#options, policy: { ...this.#options.policy, slots } }
  }

  get paused(): boolean {
    return this.pausedUntilMs > this.#ports.clock.now()
  }

  accepts(party: Asking): boolean {
    return accepts(this.#options.policy, party)
  }

  /** Only with neighbours, and of strangers only with those that it works for. */
  sharesBlocks(peer: string): boolean {
    const neighbour = this.#parts.neighbours.get(peer)
    return neighbour !== undefined && (neighbour.member || this.accepts(neighbour))
  }

  async acting(neighbour: Neighbour, signed: Envelope, template: TaskTemplate): Promise<Acting> {
    const { clock, crypto } = this.#ports
    const at = { mesh: this.#parts.office.meshId, home: neighbour.peer, nowMs: clock.now() }
    const { member } = neighbour
    const { signer } = signed
    const known = this.#parts.neighbours.get(signer)
    // A member vouches for whom it acts for; whose machine that is, only that one can show.
    const asking = known ?? { peer: signer, member, own: false }
    // Keys cost nothing: whom neither this peer knows nor its owner names is counted as the home.
    const party = known || this.policy.accept.includes(signer) ? signer : neighbour.peer
    try {
      const delegation = await openDelegation(crypto, signed, at)
      ensureFor(delegation, { function: template.function, fuel: template.environment.limits.fuel })
      return { asking, party, delegation }
    } catch (cause) {
      if (!(cause instanceof MeshError) || !['E_NO_HOME', 'E_MESH_MISMATCH'].includes(cause.code)) throw cause
      return { asking, party, no: { code: 'E_NOT_ACCEPTED', message: cause.message } }
    }
  }

  decide(acting: Acting, template: TaskTemplate, items: number, bytes: number): No | undefined {
    const view = this.#view(acting, template, items, bytes)
    const code = admit(view)
    if (code) return { code, message: code === 'E_QUOTA' ? explainQuota(view) : this.explain(code) }
    this.#usage.used(acting.party, { bytes })
    return undefined
  }

  suits(
    { environment: { engine } }: TaskTemplate,
    { tier, effects }: Manifest,
    delegation?: Delegation,
  ): No | undefined {
    if (!runsTier(engine, tier)) return { code: 'E_ENGINE_UNAVAILABLE', message: `${engine} runs no ${tier}` }
    const unserved = effects.find((effect) => !this.#options.effects.includes(effect))
    const undelegated = delegation && effects.find((effect) => !delegation.effects.includes(effect))
    if (undelegated)
      return {
        code: 'E_NOT_ACCEPTED',
        message: `the function may request ${undelegated}, which the delegation does not say`,
      }
    if (unserved === undefined) return undefined
    return { code: 'E_EFFECT_UNSERVED', message: `this peer passes on no \`${unserved}\`; ask one that advertises it` }
  }

  #view({ asking, party }: Acting, template: TaskTemplate, items: number, bytes: number): AdmissionView {
    const { policy, engines } = this.#options
    const accepted = this.accepts(asking)
    const held = this.#parts.executor.heldBy(party)
    // Who is not accepted takes nobody's place.
    const used = accepted ? this.#usage.asks(party) : { fuel: 0, bytes: 0 }
    return {
      paused: this.paused,
      stopping: this.stopping,
      accepted,
      engine: engines.includes(template.environment.engine),
      memoryBytesAsked: template.environment.limits.memory_bytes,
      memoryBytesLent: policy.memoryBytes,
      slots: policy.slots,
      queuedItems: this.#parts.executor.count,
      queuedBytes: this.#parts.executor.queuedBytes,
      items,
      bytes,
      quota: policy.quota,
      heldItems: held.items,
      heldBytes: held.bytes,
      usedFuel: used.fuel,
      usedBytes: used.bytes,
      contended: this.#usage.isContended(party),
    }
  }

  /** Whoever a home acts for weighs nothing of what the home has lent, which has to sign for it. */
  weight({ party, neighbour }: WorkItem): number {
    return party === neighbour.peer ? (this.#parts.usage?.weight(neighbour) ?? 1) : 1
  }

  explain(code: ErrorCode): string {
    const { memoryBytes, slots } = this.#options.policy
    return explainRefusal(code, { memoryBytesLent: memoryBytes, slots })
  }

  /** Neighbours with a free slot; not the same to all who ask in the same moment. */
  better(invoker: string): string[] {
    const free = this.#parts.neighbours
      .all()
      .filter(({ peer, advertisement }) => peer !== invoker && (advertisement?.free ?? 0) > 0)
    const from = this.#asked++ % Math.max(1, free.length)
    return [...free.slice(from), ...free.slice(0, from)].slice(0, BETTER_MAX).map(({ peer }) => peer)
  }

  offer(): Omit<Offer, 'protocols'> {
    const { policy, engines, effects } = this.#options
    return {
      ...{ engines: [...engines], effects: [...effects], ...this.load() },
      ...{ memory_bytes: policy.memoryBytes, speed: Math.round(this.#speed) },
    }
  }

  load(): Load {
    const closed = this.paused || this.stopping
    const slots = closed ? 0 : this.policy.slots
    // What is held back may never run.
    const count = this.#parts.executor.count - this.#parts.executor.held
    return { slots, free: Math.max(0, slots - count), queued: closed ? 0 : Math.max(0, count - slots) }
  }

  answered(item: WorkItem, outcome: Outcome, outcomeBytes: number): void {
    const isTraced = item.invocation.trace_ticks !== undefined
    const runMs = item.run?.ranMs() ?? 0
    if (!isTraced && outcome.fuel >= SPEED_FUEL_MIN && runMs > 0) {
      const speed = outcome.fuel / runMs
      this.#speed = this.#speed === 0 ? speed : this.#speed + SPEED_ALPHA * (speed - this.#speed)
    }
    const { result } = outcome
    const fuel = quotaFuel(outcome.fuel, isTraced)
    this.#usage.used(item.party, { fuel, bytes: result.ok ? result.value.length : 0 })
    this.#parts.tally.add({ fuel: outcome.fuel, run_ms: runMs, bytes: item.input.length })
    this.#parts.usage?.did(item.neighbour.peer, outcome, item.input.length + outcomeBytes)
  }

  cancelled({ run }: WorkItem): void {
    this.#parts.tally.cancelled(run?.fuel() ?? 0)
  }

  /** What it used until then counts all the same, and in full: nobody evades a quota by giving up. */
  dropped({ party, invocation, run }: WorkItem): void {
    if (run) this.#usage.used(party, { fuel: quotaFuel(run.fuel(), invocation.trace_ticks !== undefined) })
  }

  refused(peer: string, code: ErrorCode, message: string): void {
    this.#parts.tally.refused(1)
    this.lastRefusal = { peer, code, message, at_ms: this.#ports.clock.now() }
  }
}
