/** What this peer has done for others today, and they for it: shown to its owner. */

import { decodeCanonical, encodeCanonical } from '../protocol/codec.ts'
import { CANCELLED_FUEL_MAX } from '../protocol/limits.ts'
import type { Ports } from '../protocol/ports.ts'

export interface DayTally {
  /** UTC day, as 2026-11-21. */
  day: string
  tasks: number
  refused: number
  fuel: number
  /** Time that sandboxes ran, ms. */
  run_ms: number
  /** Inputs and outcomes. */
  bytes: number
  /** Tasks that their invokers cancelled while they ran; of the fuel of each, `CANCELLED_FUEL_MAX` at most counts. */
  cancelled: number
  /** The same of what others have done for this peer. */
  asked: { tasks: number; fuel: number; cancelled: number }
}

const KEY = 'tally/today'
const SAVE_EVERY_MS = 5000

const DAY_MS = 24 * 60 * 60 * 1000

const empty = (day: number): DayTally => ({
  day: new Date(day * DAY_MS).toISOString().slice(0, 10),
  ...{ tasks: 0, refused: 0, fuel: 0, run_ms: 0, bytes: 0, cancelled: 0 },
  asked: { tasks: 0, fuel: 0, cancelled: 0 },
})

export class Tally {
  readonly #ports: Pick<Ports, 'clock' | 'storage' | 'log'>
  /** Days since 1970. */
  #day: number
  #today: DayTally
  #saving: (() => void) | undefined

  constructor(ports: Pick<Ports, 'clock' | 'storage' | 'log'>) {
    this.#ports = ports
    this.#day = this.#dayNow()
    this.#today = empty(this.#day)
  }

  async load(): Promise<void> {
    const bytes = await this.#ports.storage.get(KEY)
    if (!bytes) return
    const saved = decodeCanonical(bytes) as DayTally
    if (saved.day === this.#today.day) this.#today = { ...this.#today, ...saved }
  }

  get today(): DayTally {
    this.#turn()
    return { ...this.#today, asked: { ...this.#today.asked } }
  }

  add(done: { fuel: number; run_ms: number; bytes: number }): void {
    this.#turn()
    this.#today.tasks++
    this.#today.fuel += done.fuel
    this.#today.run_ms += Math.round(done.run_ms)
    this.#today.bytes += done.bytes
    this.#saveLater()
  }

  /** `fuel`: what it had used by then. */
  cancelled(fuel: number): void {
    this.#turn()
    this.#today.cancelled++
    this.#today.fuel += Math.min(fuel, CANCELLED_FUEL_MAX)
    this.#saveLater()
  }

  /** Another peer has done a task for this one. */
  got(fuel: number): void {
    this.#turn()
    this.#today.asked.tasks++
    this.#today.asked.fuel += fuel
    this.#saveLater()
  }

  /** This peer has cancelled one that another ran. `fuel`: as last heard. */
  gaveUp(fuel: number): void {
    this.#turn()
    this.#today.asked.cancelled++
    this.#today.asked.fuel += Math.min(fuel, CANCELLED_FUEL_MAX)
    this.#saveLater()
  }

  refused(count: number): void {
    this.#turn()
    this.#today.refused += count
    this.#saveLater()
  }

  async save(): Promise<void> {
    this.#saving?.()
    this.#saving = undefined
    const write = { key: KEY, put: encodeCanonical(this.#today) }
    await this.#ports.storage.write([write]).catch((cause: Error) => {
      this.#ports.log.event('storage.failed', { reason: cause.message })
    })
  }

  #dayNow(): number {
    return Math.floor(this.#ports.clock.now() / DAY_MS)
  }

  #turn(): void {
    const day = this.#dayNow()
    if (day === this.#day) return
    this.#day = day
    this.#today = empty(day)
  }

  #saveLater(): void {
    this.#saving ??= this.#ports.clock.after(SAVE_EVERY_MS, () => void this.save())
  }
}
