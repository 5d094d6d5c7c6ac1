/**
 * What a browser tells a page of its device. Each source is looked for, and where there is none, or the page may not use
 * it, that is unknown: `undefined`, never a guess (README.md, "What a browser tells").
 */
import type { Clock } from '../../protocol/ports.ts'
import type { DeviceState, PressureState } from './condition.ts'

export interface DevicePort {
  state(): DeviceState
  /** Of each change but the passing of time. The returned function ends it. */
  watch(changed: () => void): () => void
  /** A person does something where this document does not see it: the page around it says so. */
  touched(): void
  /** Those of the machine, as far as they are told. */
  readonly processors: number
  stop(): void
}

/** The parts that not every browser has, and TypeScript's library does not know. */
interface BatteryManager extends EventTarget {
  readonly charging: boolean
  readonly level: number
}

interface NetworkInformation extends EventTarget {
  readonly saveData?: boolean
  readonly type?: string
  readonly metered?: boolean
}

interface PressureObserver {
  observe(source: 'cpu', options: { sampleInterval: number }): Promise<void>
  disconnect(): void
}

interface DeviceNavigator {
  readonly onLine: boolean
  readonly hardwareConcurrency?: number
  readonly connection?: NetworkInformation
  readonly userAgentData?: { readonly mobile: boolean }
  getBattery?(): Promise<BatteryManager>
}

/** What is used of a window. */
export interface DeviceWindow extends EventTarget {
  readonly document: EventTarget & { readonly visibilityState: string; hasFocus(): boolean }
  readonly navigator: object
  matchMedia?(query: string): { readonly matches: boolean }
  readonly PressureObserver?: new (
    changed: (records: readonly { readonly state: PressureState }[]) => void,
  ) => PressureObserver
  readonly PerformanceObserver?: typeof PerformanceObserver
}

/** By which a person shows to be there. */
const TOUCHES = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart', 'scroll', 'focus'] as const
/** A hand that moves is told of so often at most. */
const TOUCH_TOLD_MS = 1000
const PRESSURE_SAMPLE_MS = 1000
/** Where others keep this thread from the page for so much of the last seconds, less work is wanted. */
const LONG_TASKS_WINDOW_MS = 10_000
const LONG_TASKS_SHARE = 0.3

/** Whether each byte is paid for, of the types of https://wicg.github.io/netinfo/#connectiontype-enum. */
const METERED: Record<string, boolean> = { cellular: true, wifi: false, ethernet: false }

export const watchDevice = (page: DeviceWindow, clock: Pick<Clock, 'monotonic'>): DevicePort => new Device(page, clock)

class Device implements DevicePort {
  readonly #page: DeviceWindow
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #watchers = new Set<() => void>()
  readonly #over = new AbortController()
  #frozen = false
  #touchedMs: number
  #battery: BatteryManager | undefined
  #pressure: PressureState | undefined
  /** End and duration of the tasks of others that held this thread, ms. */
  #longTasks: { atMs: number; ms: number }[] = []

  constructor(page: DeviceWindow, clock: Pick<Clock, 'monotonic'>) {
    this.#page = page
    this.#clock = clock
    this.#touchedMs = clock.monotonic()
    this.#listen(page.document, ['visibilitychange'])
    this.#listen(page, ['online', 'offline'])
    this.#listen(page.document, ['freeze'], () => this.#freeze(true))
    this.#listen(page.document, ['resume'], () => this.#freeze(false))
    this.#listen(page, ['pagehide'], () => this.#freeze(true))
    this.#listen(page, ['pageshow'], () => this.#freeze(false))
    this.#listen(page, TOUCHES, () => this.touched())
    if (this.#navigator.connection) this.#listen(this.#navigator.connection, ['change'])
    this.#findBattery()
    this.#observePressure()
    this.#observeLongTasks()
  }

  get processors(): number {
    return this.#navigator.hardwareConcurrency ?? 1
  }

  state(): DeviceState {
    const { document } = this.#page
    const { onLine, connection } = this.#navigator
    return {
      visible: document.visibilityState === 'visible',
      idleMs: this.#clock.monotonic() - this.#touchedMs,
      frozen: this.#frozen,
      online: onLine,
      battery: this.#battery && { charging: this.#battery.charging, level: this.#battery.level },
      handheld: this.#isHandheld(),
      saveData: connection?.saveData ?? false,
      metered: connection?.metered ?? METERED[connection?.type ?? ''],
      pressure: this.#pressureNow(),
    }
  }

  watch(changed: () => void): () => void {
    this.#watchers.add(changed)
    return () => this.#watchers.delete(changed)
  }

  touched(): void {
    const now = this.#clock.monotonic()
    const isNews = now - this.#touchedMs >= TOUCH_TOLD_MS
    this.#touchedMs = now
    if (isNews) this.#changed()
  }

  stop(): void {
    this.#over.abort()
    this.#watchers.clear()
  }

  get #navigator(): DeviceNavigator {
    return this.#page.navigator as DeviceNavigator
  }

  #changed(): void {
    for (const changed of this.#watchers) changed()
  }

  #freeze(frozen: boolean): void {
    if (frozen === this.#frozen) return
    this.#frozen = frozen
    this.#changed()
  }

  /** In the capturing phase, which nothing in the page can stop. */
  #listen(target: EventTarget, events: readonly string[], heard = () => this.#changed()): void {
    const { signal } = this.#over
    for (const event of events) target.addEventListener(event, heard, { capture: true, passive: true, signal })
  }

  /** A tablet has no mouse either, and says that it is not mobile. */
  #isHandheld(): boolean {
    const matches = (query: string) => this.#page.matchMedia?.(query).matches ?? false
    const touchOnly = matches('(pointer: coarse)') && !matches('(any-pointer: fine)')
    return touchOnly || (this.#navigator.userAgentData?.mobile ?? false)
  }

  async #findBattery(): Promise<void> {
    try {
      const battery = await this.#navigator.getBattery?.()
      if (!battery || this.#over.signal.aborted) return
      this.#battery = battery
      this.#listen(battery, ['chargingchange', 'levelchange'])
      this.#changed()
    } catch {
      // This page may not ask.
    }
  }

  async #observePressure(): Promise<void> {
    const { PressureObserver } = this.#page
    if (!PressureObserver) return
    try {
      const observer = new PressureObserver((records) => {
        const state = records.at(-1)?.state
        if (state === this.#pressure) return
        this.#pressure = state
        this.#changed()
      })
      this.#over.signal.addEventListener('abort', () => observer.disconnect())
      await observer.observe('cpu', { sampleInterval: PRESSURE_SAMPLE_MS })
    } catch {
      // This page may not ask, or this machine does not tell.
    }
  }

  /** Those of the page around this frame too, where both are on one thread. */
  #observeLongTasks(): void {
    const { PerformanceObserver } = this.#page
    if (!PerformanceObserver?.supportedEntryTypes?.includes('longtask')) return
    const observer = new PerformanceObserver((list) => {
      const others = list.getEntries().filter(({ name }) => name !== 'self')
      for (const { duration } of others) this.#longTasks.push({ atMs: this.#clock.monotonic(), ms: duration })
    })
    observer.observe({ type: 'longtask' })
    this.#over.signal.addEventListener('abort', () => observer.disconnect())
  }

  /**
   * Only the page that has the focus is told of pressure (https://www.w3.org/TR/compute-pressure/#dfn-passes-privacy-test):
   * what another was told before says nothing of now.
   */
  #pressureNow(): PressureState | undefined {
    const told = this.#page.document.hasFocus() ? this.#pressure : undefined
    return told !== 'critical' && this.#isThreadBusy() ? 'serious' : told
  }

  #isThreadBusy(): boolean {
    const fromMs = this.#clock.monotonic() - LONG_TASKS_WINDOW_MS
    this.#longTasks = this.#longTasks.filter(({ atMs }) => atMs > fromMs)
    const busyMs = this.#longTasks.reduce((sum, { ms }) => sum + ms, 0)
    return busyMs > LONG_TASKS_SHARE * LONG_TASKS_WINDOW_MS
  }
}
