/** What this peer has done for others today: shown to its owner. */

import { decodeCanonical, encodeCanonical } from '../protocol/codec.ts'
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
}

const KEY = 'tally/today'
const SAVE_EVERY_MS = 5000

const DAY_MS = 24 * 60 * 60 * 1000

const empty = (day: number): DayTally => ({
  day: new Date(day * DAY_MS).toISOString().slice(0, 10),
  ...{ tasks: 0, refused: 0, fuel: 0, run_ms: 0, bytes: 0 },
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
    if (saved.day === this.#today.day) this.#today = saved
  }

  get today(): DayTally {
    this.#turn()
    return { ...this.#today }
  }

  add(done: { fuel: number; run_ms: number; bytes: number }): void {
    this.#turn()
    this.#today.tasks++
    this.#today.fuel += done.fuel
    this.#today.run_ms += Math.round(done.run_ms)
    this.#today.bytes += done.bytes
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
    await this.#ports.storage.write([{ key: KEY, put: encodeCanonical(this.#today) }])
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
    this.#saving ??= this.#ports.clock.after(SAVE_EVERY_MS, () => {
      this.save().catch((cause: Error) => this.#ports.log.event('storage.failed', { reason: cause.message }))
    })
  }
}
