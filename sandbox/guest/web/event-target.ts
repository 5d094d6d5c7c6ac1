/** Event and EventTarget, after the DOM standard ("Events"), without a tree: each event has one target. */
import { DOMException } from './exception.ts'
import { report } from './prelude-exports.ts'

interface EventInit {
  bubbles?: boolean
  cancelable?: boolean
  composed?: boolean
}

type Handler = ((event: Event) => unknown) | { handleEvent(event: Event): unknown }

interface Listener {
  type: string
  callback: Handler
  capture: boolean
  once: boolean
  passive: boolean
  removed: boolean
}

interface ListenerOptions {
  capture?: boolean
  once?: boolean
  passive?: boolean
  signal?: EventTarget & { aborted: boolean }
}

const NONE = 0
const AT_TARGET = 2

let dispatch: (event: Event, target: EventTarget, listeners: readonly Listener[]) => boolean
let beginDispatch: (event: Event) => void

export class Event {
  #type: string
  #init: EventInit
  #target: EventTarget | null = null
  #currentTarget: EventTarget | null = null
  #dispatching = false
  #stopped = false
  #bubbleStopped = false
  #canceled = false
  #passive = false

  static {
    beginDispatch = (event) => {
      if (event.#dispatching) throw new DOMException('The event is being dispatched already', 'InvalidStateError')
    }
    dispatch = (event, target, listeners) => {
      event.#target = event.#currentTarget = target
      event.#dispatching = true
      for (const listener of listeners) {
        if (listener.removed) continue
        if (listener.once) target.removeEventListener(listener.type, listener.callback, listener.capture)
        event.#passive = listener.passive
        invoke(listener.callback, event, target)
        event.#passive = false
        if (event.#stopped) break
      }
      event.#dispatching = event.#stopped = event.#bubbleStopped = false
      event.#currentTarget = null
      return !event.#canceled
    }
  }

  constructor(type: string, init: EventInit = {}) {
    if (arguments.length === 0) throw new TypeError('Event: an argument is required')
    this.#type = `${type}`
    this.#init = init ?? {}
  }

  get type(): string {
    return this.#type
  }

  get target(): EventTarget | null {
    return this.#target
  }

  get srcElement(): EventTarget | null {
    return this.#target
  }

  get currentTarget(): EventTarget | null {
    return this.#currentTarget
  }

  get eventPhase(): number {
    return this.#currentTarget ? AT_TARGET : NONE
  }

  get bubbles(): boolean {
    return !!this.#init.bubbles
  }

  get cancelable(): boolean {
    return !!this.#init.cancelable
  }

  get composed(): boolean {
    return !!this.#init.composed
  }

  get defaultPrevented(): boolean {
    return this.#canceled
  }

  get returnValue(): boolean {
    return !this.#canceled
  }

  set returnValue(value: boolean) {
    if (!value) this.preventDefault()
  }

  /** Nothing is above the one target: to stop there says so, and no more. */
  get cancelBubble(): boolean {
    return this.#bubbleStopped
  }

  set cancelBubble(value: boolean) {
    if (value) this.#bubbleStopped = true
  }

  get isTrusted(): boolean {
    return false
  }

  get timeStamp(): number {
    return 0
  }

  composedPath(): EventTarget[] {
    return this.#currentTarget ? [this.#currentTarget] : []
  }

  preventDefault(): void {
    if (this.cancelable && !this.#passive) this.#canceled = true
  }

  stopPropagation(): void {
    this.#bubbleStopped = true
  }

  stopImmediatePropagation(): void {
    this.#bubbleStopped = this.#stopped = true
  }

  initEvent(type: string, bubbles = false, cancelable = false): void {
    if (this.#dispatching) return
    this.#type = `${type}`
    this.#init = { ...this.#init, bubbles, cancelable }
    this.#target = null
    this.#stopped = this.#bubbleStopped = this.#canceled = false
  }
}

for (const [i, name] of ['NONE', 'CAPTURING_PHASE', 'AT_TARGET', 'BUBBLING_PHASE'].entries())
  for (const holder of [Event, Event.prototype]) Object.defineProperty(holder, name, { value: i, enumerable: true })

const invoke = (callback: Handler, event: Event, target: EventTarget): void => {
  try {
    if (typeof callback === 'function') callback.call(target, event)
    else callback.handleEvent(event)
  } catch (error) {
    report(error)
  }
}

export class CustomEvent extends Event {
  #detail: unknown

  constructor(type: string, init: EventInit & { detail?: unknown } = {}) {
    super(type, init)
    this.#detail = init?.detail ?? null
  }

  get detail(): unknown {
    return this.#detail
  }
}

export class ErrorEvent extends Event {
  #init: { message?: string; filename?: string; lineno?: number; colno?: number; error?: unknown }

  constructor(type: string, init: EventInit & { message?: string; error?: unknown } = {}) {
    super(type, init)
    this.#init = init ?? {}
  }

  get message(): string {
    return this.#init.message ?? ''
  }

  get filename(): string {
    return this.#init.filename ?? ''
  }

  get lineno(): number {
    return this.#init.lineno ?? 0
  }

  get colno(): number {
    return this.#init.colno ?? 0
  }

  get error(): unknown {
    return this.#init.error
  }
}

const captureOf = (options: ListenerOptions | boolean | undefined): boolean =>
  typeof options === 'object' && options !== null ? !!options.capture : !!options

export class EventTarget {
  #listeners: Listener[] = []

  addEventListener(type: string, callback: Handler | null, options?: ListenerOptions | boolean): void {
    if (arguments.length < 2) throw new TypeError('EventTarget.addEventListener: 2 arguments are required')
    if (callback !== null && typeof callback !== 'function' && typeof callback !== 'object')
      throw new TypeError('EventTarget.addEventListener: the listener is neither a function nor an object')
    const { once = false, passive = false, signal } = (typeof options === 'object' && options) || {}
    if (signal === null) throw new TypeError('EventTarget.addEventListener: the signal is no AbortSignal')
    const capture = captureOf(options)
    const name = `${type}`
    if (callback === null || signal?.aborted || this.#find(name, callback, capture) >= 0) return
    this.#listeners.push({ type: name, callback, capture, once: !!once, passive: !!passive, removed: false })
    signal?.addEventListener('abort', () => this.removeEventListener(name, callback, capture))
  }

  removeEventListener(type: string, callback: Handler | null, options?: ListenerOptions | boolean): void {
    if (arguments.length < 2) throw new TypeError('EventTarget.removeEventListener: 2 arguments are required')
    const at = callback === null ? -1 : this.#find(`${type}`, callback, captureOf(options))
    if (at < 0) return
    ;(this.#listeners[at] as Listener).removed = true
    this.#listeners = this.#listeners.toSpliced(at, 1)
  }

  #find(type: string, callback: Handler, capture: boolean): number {
    return this.#listeners.findIndex((l) => l.type === type && l.callback === callback && l.capture === capture)
  }

  dispatchEvent(event: Event): boolean {
    if (!(event instanceof Event)) throw new TypeError('EventTarget.dispatchEvent: the argument is no Event')
    beginDispatch(event)
    const listeners = this.#listeners.filter(({ type }) => type === event.type)
    return dispatch(event, this, [...listeners.filter((l) => l.capture), ...listeners.filter((l) => !l.capture)])
  }
}

/** Defines `on…` of a class: the listener that is set there comes in the place where it was first set. */
export const eventHandler = (prototype: EventTarget, type: string): void => {
  const handlers = new WeakMap<EventTarget, { current: unknown }>()
  Object.defineProperty(prototype, `on${type}`, {
    enumerable: true,
    configurable: true,
    get(this: EventTarget) {
      return handlers.get(this)?.current ?? null
    },
    set(this: EventTarget, value: unknown) {
      const current = typeof value === 'function' || (typeof value === 'object' && value !== null) ? value : null
      const known = handlers.get(this)
      if (known) known.current = current
      if (known || current === null) return
      const handler = { current: current as unknown }
      handlers.set(this, handler)
      this.addEventListener(type, (event) => {
        if (typeof handler.current === 'function') handler.current.call(this, event)
      })
    },
  })
}
