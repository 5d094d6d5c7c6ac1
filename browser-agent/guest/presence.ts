/**
 * The peer of this origin, in this tab while it has the lead: begun, steered by the rules, and ended when the tab is
 * frozen, so that another can go on, or while each byte counts.
 */
import { SAVES_DATA } from './condition.ts'
import type { DevicePort } from './device.ts'
import { Lead, type Locks } from './lead.ts'
import type { GuestRules } from './rules.ts'

/** A peer that has been started. */
export interface Lent {
  /** Runs work for others, at this share of a core for each worker. */
  lend(share: number): void
  /** Gives back at once what it runs, and takes nothing more. */
  withhold(): void
  end(): Promise<void>
}

export interface PresenceOptions {
  device: DevicePort
  rules: GuestRules
  locks: Locks
  /** Starts the peer. */
  begin(): Promise<Lent>
  /** It could not be started, or this page may have no locks. */
  failed(cause: unknown): void
}

export class Presence {
  readonly #options: PresenceOptions
  readonly #lead: Lead
  readonly #unwatch: (() => void)[]
  /** One is here, or comes up. */
  #isWanted = false
  #lent: Lent | undefined
  /** The share that it was told last. */
  #given: number | undefined
  /** Of the peers that were begun here: one that comes up too late ends at once. */
  #generation = 0
  /** What this tab began must have ended before it begins anew. */
  #ended: Promise<void> = Promise.resolve()
  /** What was used today has been read. */
  #loaded: Promise<void>
  #stopped = false

  constructor(options: PresenceOptions) {
    const { device, rules, locks } = options
    this.#options = options
    this.#lead = new Lead(locks, (leads) => this.#onLead(leads))
    this.#unwatch = [device.watch(() => this.#onDevice()), rules.subscribe(() => this.#steer())]
    rules.elsewhere(true)
    // To be shown; who leads reads it again.
    this.#loaded = rules.load().catch(options.failed)
    this.#onDevice()
  }

  /** Ends the peer, if it is here, and lets another tab lead. */
  async stop(): Promise<void> {
    this.#stopped = true
    for (const unwatch of this.#unwatch) unwatch()
    this.#end()
    await this.#ended
    this.#lead.release()
  }

  /** A frozen tab cannot give anything back later, so it does so in the turn in which it learns of it. */
  #onDevice(): void {
    if (this.#options.device.state().frozen) {
      this.#end()
      this.#lead.release()
    } else if (!this.#lead.seeks) this.#ended.then(() => this.#seek())
  }

  #seek(): void {
    if (this.#stopped || this.#options.device.state().frozen) return
    this.#lead.seek().catch((cause) => this.#options.failed(cause))
  }

  #onLead(leads: boolean): void {
    const { rules, failed } = this.#options
    if (leads) this.#loaded = rules.load().catch(failed)
    rules.elsewhere(!leads)
    this.#steer()
  }

  #steer(): void {
    const { reason, share } = this.#options.rules.verdict()
    if (!this.#lead.leads || SAVES_DATA.has(reason)) return this.#end()
    if (this.#isWanted) return this.#give(share)
    this.#isWanted = true
    this.#begin(++this.#generation).catch((cause) => this.#options.failed(cause))
  }

  async #begin(generation: number): Promise<void> {
    await Promise.all([this.#ended, this.#loaded])
    if (generation !== this.#generation) return
    const lent = await this.#options.begin()
    if (generation !== this.#generation) return await lent.end()
    this.#lent = lent
    this.#given = undefined
    this.#steer()
  }

  #give(share: number): void {
    if (!this.#lent || share === this.#given) return
    this.#given = share
    if (share > 0) this.#lent.lend(share)
    else this.#lent.withhold()
  }

  #end(): void {
    this.#isWanted = false
    this.#generation++
    this.#give(0)
    const lent = this.#lent
    this.#lent = undefined
    if (!lent) return
    const before = this.#ended
    this.#ended = Promise.all([before, lent.end().catch((cause) => this.#options.failed(cause))]).then(() => {})
  }
}
