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

const empty = (day: string): DayTally => ({ day, tasks: 0, refused: 0, fuel: 0, run_ms: 0, bytes: 0 })

export class Tally {
  readonly #ports: Pick<Ports, 'clock' | 'storage' | 'log'>
  #today: DayTally
  #saving: (() => void) | undefined

  constructor(ports: Pick<Ports, 'clock' | 'storage' | 'log'>) {
    this.#ports = ports
    this.#today = empty(this.#day())
  }

  async load(): Promise<void> {
    const bytes = await this.#ports.storage.get(KEY)
    if (!bytes) return
    const saved = decodeCanonical(bytes) as DayTally
    if (saved.day === this.#day()) this.#today = saved
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

  #day(): string {
    return new Date(this.#ports.clock.now()).toISOString().slice(0, 10)
  }

  #turn(): void {
    const day = this.#day()
    if (day !== this.#today.day) this.#today = empty(day)
  }

  #saveLater(): void {
    this.#saving ??= this.#ports.clock.after(SAVE_EVERY_MS, () => {
      this.save().catch((cause: Error) => this.#ports.log.event('storage.failed', { reason: cause.message }))
    })
  }
}
