/** What this browser has given today, by the visitor's own midnight. Kept in storage: a reload starts no new day. */
import { decodeCanonical, encodeCanonical } from '../../protocol/codec.ts'
import type { Ports } from '../../protocol/ports.ts'
import type { AgentView } from '../agent-view.ts'

export type Usage = AgentView['today']

const KEY = 'guest/usage'
/** A tab that is killed forgets as much as was used since. */
const SAVE_EVERY_MS = 2000

interface Kept extends Usage {
  day: string
}

/** The day of the visitor's calendar at a wall-clock instant, as `2026-11-28`. */
export const localDay = (ms: number): string => {
  const at = new Date(ms)
  const two = (n: number) => String(n).padStart(2, '0')
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
}

/** The instant at which the day after that of `ms` begins there, also where that day has 23 or 25 hours. */
export const nextMidnight = (ms: number): number => {
  const at = new Date(ms)
  return new Date(at.getFullYear(), at.getMonth(), at.getDate() + 1).getTime()
}

const nothing = (day: string): Kept => ({ day, cpuMs: 0, bytes: 0, tasks: 0 })

type UsagePorts = Pick<Ports, 'clock' | 'storage' | 'log'>

export class DailyUsage {
  readonly #ports: UsagePorts
  #kept: Kept
  #cancelSave: (() => void) | undefined

  constructor(ports: UsagePorts) {
    this.#ports = ports
    this.#kept = nothing(localDay(ports.clock.now()))
  }

  /** As another tab, or this one before it was loaded again, left it. */
  async load(): Promise<void> {
    const bytes = await this.#ports.storage.get(KEY)
    const kept = bytes && (decodeCanonical(bytes) as Kept)
    this.#turn()
    if (kept?.day === this.#kept.day) this.#kept = { ...kept }
  }

  get today(): Usage {
    this.#turn()
    const { cpuMs, bytes, tasks } = this.#kept
    return { cpuMs, bytes, tasks }
  }

  add({ cpuMs = 0, bytes = 0, tasks = 0 }: Partial<Usage>): void {
    this.#turn()
    this.#kept.cpuMs += Math.round(cpuMs)
    this.#kept.bytes += bytes
    this.#kept.tasks += tasks
    this.#cancelSave ??= this.#ports.clock.after(SAVE_EVERY_MS, () => void this.save())
  }

  /** Writes what has not been written yet. */
  async save(): Promise<void> {
    if (!this.#cancelSave) return
    this.#cancelSave()
    this.#cancelSave = undefined
    try {
      await this.#ports.storage.write([{ key: KEY, put: encodeCanonical({ ...this.#kept }) }])
    } catch (cause) {
      this.#ports.log.event('storage.failed', { reason: (cause as Error).message })
    }
  }

  /** Nothing is written after it until something is used again. */
  async forget(): Promise<void> {
    this.#cancelSave?.()
    this.#cancelSave = undefined
    this.#kept = nothing(localDay(this.#ports.clock.now()))
    await this.#ports.storage.write([{ key: KEY, delete: true }], { durable: true })
  }

  #turn(): void {
    const day = localDay(this.#ports.clock.now())
    if (day !== this.#kept.day) this.#kept = nothing(day)
  }
}
