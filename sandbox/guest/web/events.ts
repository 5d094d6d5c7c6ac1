/** Events and their cancelling, after the DOM standard ("Events", "Aborting ongoing activities"), without a tree. */
export { AbortController, AbortSignal, newSignal } from './abort.ts'
export { CustomEvent, ErrorEvent, Event, EventTarget, eventHandler } from './event-target.ts'
