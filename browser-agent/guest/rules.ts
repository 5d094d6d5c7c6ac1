/** The rules of a good guest at work: the device, the visitor's limits and what was used today, decided on as they change. */
import type { Ports } from '../../protocol/ports.ts'
import type { LendingLimits, PauseReason } from '../agent-view.ts'
import { BEGINNING, type Decision, decide } from './condition.ts'
import type { DevicePort } from './device.ts'
import { DailyUsage, nextMidnight, type Usage } from './usage.ts'

export interface Verdict {
  mayRun: boolean
  /** Why not. */
  reason: PauseReason | undefined
  /** Of one core, for each worker; 0 while nothing may run. */
  share: number
}

export interface GuestRules {
  verdict(): Verdict
  today(): Usage
  readonly limits: LendingLimits
  /** Kept for the next start by whoever asks for it. */
  limit(limits: Partial<LendingLimits>): void
  /** The visitor pauses and resumes. */
  pause(): void
  resume(): void
  /** Another tab of this origin has the lead, or had it. */
  elsewhere(is: boolean): void
  used(usage: Partial<Usage>): void
  /** Of each new verdict. The returned function ends it. */
  subscribe(changed: (verdict: Verdict) => void): () => void
  /** Reads again what was used today: another tab may have had the lead. */
  load(): Promise<void>
  /** Erases what was used. */
  forget(): Promise<void>
  /** Ends with what was used kept. */
  stop(): Promise<void>
}

export interface GuestRulesOptions extends Pick<Ports, 'clock' | 'storage' | 'log'> {
  device: DevicePort
  limits: LendingLimits
}

/** What passes with time, such as the use of the processor, is looked at so often while work is run. */
const LOOK_EVERY_MS = 2000
/** Over which the workers' own use of the machine is taken. */
const OWN_USE_WINDOW_MS = 10_000

export const createGuestRules = (options: GuestRulesOptions): GuestRules => new Rules(options)

class Rules implements GuestRules {
  readonly #options: GuestRulesOptions
  readonly #usage: DailyUsage
  readonly #watchers = new Set<(verdict: Verdict) => void>()
  readonly #unwatch: () => void
  #recent: { atMs: number; cpuMs: number }[] = []
  #decision: Decision = BEGINNING
  #paused = false
  #elsewhere = false
  #cancel = () => {}
  #stopped = false
  limits: LendingLimits

  constructor(options: GuestRulesOptions) {
    this.#options = options
    this.limits = options.limits
    this.#usage = new DailyUsage(options)
    this.#unwatch = options.device.watch(() => this.#decide())
    this.#decide()
  }

  verdict(): Verdict {
    const { reason, share } = this.#decision
    return { mayRun: reason === undefined, reason, share }
  }

  today(): Usage {
    return this.#usage.today
  }

  limit(limits: Partial<LendingLimits>): void {
    this.limits = { ...this.limits, ...limits }
    // Whoever chooses sees at once what comes of it.
    this.#decision = { ...this.#decision, clearSinceMs: Number.NEGATIVE_INFINITY }
    this.#decide()
  }

  pause(): void {
    this.#paused = true
    this.#decide()
  }

  resume(): void {
    this.#paused = false
    this.#decide()
  }

  /** Who has not the lead writes nothing: another tab keeps the account from now on. */
  elsewhere(is: boolean): void {
    if (is && !this.#elsewhere) void this.#usage.save()
    this.#elsewhere = is
    this.#decide()
  }

  used(usage: Partial<Usage>): void {
    if (this.#elsewhere) return
    this.#usage.add(usage)
    if (usage.cpuMs) this.#recent.push({ atMs: this.#options.clock.monotonic(), cpuMs: usage.cpuMs })
    const { cpuMs, bytes } = this.today()
    // At once: a cap is a cap.
    if (cpuMs >= this.limits.cpuMsPerDay || bytes >= this.limits.bytesPerDay) this.#decide()
  }

  subscribe(changed: (verdict: Verdict) => void): () => void {
    this.#watchers.add(changed)
    return () => this.#watchers.delete(changed)
  }

  async load(): Promise<void> {
    await this.#usage.load()
    this.#decide()
  }

  async forget(): Promise<void> {
    await this.#usage.forget()
    this.#decide()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancel()
    this.#unwatch()
    this.#watchers.clear()
    await this.#usage.save()
  }

  #decide(): void {
    if (this.#stopped) return
    const before = this.#decision
    const nowMs = this.#options.clock.monotonic()
    this.#decision = decide(
      before,
      {
        device: this.#options.device.state(),
        limits: this.limits,
        today: this.today(),
        paused: this.#paused,
        elsewhere: this.#elsewhere,
        ownUse: this.#ownUse(nowMs),
      },
      nowMs,
    )
    this.#waitFrom(nowMs)
    const { reason, share } = this.#decision
    if (reason === before.reason && share === before.share) return
    for (const changed of this.#watchers) changed(this.verdict())
  }

  #waitFrom(nowMs: number): void {
    const { clock } = this.#options
    const midnightMs = nextMidnight(clock.now()) - clock.now()
    const lookMs = this.#decision.reason === undefined ? LOOK_EVERY_MS : midnightMs
    const waitMs = Math.min(this.#decision.againMs - nowMs, lookMs, midnightMs)
    this.#cancel()
    this.#cancel = clock.after(waitMs, () => this.#decide())
  }

  /** Of the machine's processors, 0 to 1. */
  #ownUse(nowMs: number): number {
    this.#recent = this.#recent.filter(({ atMs }) => atMs > nowMs - OWN_USE_WINDOW_MS)
    const cpuMs = this.#recent.reduce((sum, recent) => sum + recent.cpuMs, 0)
    return cpuMs / OWN_USE_WINDOW_MS / this.#options.device.processors
  }
}
