/**
 * What the prelude hands to the groups (`../web.ts`). Types only: in the guest, an import of this file, or of the first
 * file of another group, is a call of `use`.
 */

/** Some of the groups by their names: what their first files export. */
interface Groups {
  blob: typeof import('./blob.ts')
  digest: typeof import('./digest.ts')
  effects: typeof import('./effects.ts')
  events: typeof import('./events.ts')
  exception: typeof import('./exception.ts')
  fetcher: typeof import('./fetcher.ts')
  state: typeof import('./state.ts')
  tasks: typeof import('./tasks.ts')
  streams: typeof import('./streams.ts')
  text: typeof import('./text.ts')
  url: typeof import('./url.ts')
}

/** A group, evaluated if it has not been: for what is needed now and then. */
export declare const use: <Name extends keyof Groups>(name: Name) => Groups[Name]
/** A group, if it has been evaluated: where it has not, nothing can be an instance of what it has. */
export declare const evaluated: <Name extends keyof Groups>(name: Name) => Groups[Name] | undefined
/** For errors that nobody can catch: prints one to the console, and the run goes on. */
export declare const report: (error: unknown) => void
/** One line for the console, as it is; `level` is debug, log, info, warn or error. */
export declare const print: (level: string, text: string) => void
/** Calls `run` when all jobs are done. */
export declare const turn: (run: () => void) => void
/** Requests something of the host; an answer settles it. Throws what is wrong with the arguments, which `textOf` wrote last. */
export declare const wait: (
  kind: string,
  text: string,
  resolve: (value: unknown) => void,
  reject: (error: unknown) => void,
) => void
/** The same without an answer. */
export declare const request: (kind: string, text: string) => number
/** The text of a value that crosses. `name`: what a refusal calls it. Throws Refusal, or what a getter throws. */
export declare const textOf: (x: unknown, name: string) => string
export declare class Refusal {
  readonly text: string
}
/** The byte arrays of what `textOf` wrote last. */
export declare const written: () => readonly Uint8Array[]
/** What such a text says. `buffers`: those that crossed beside it; they become the value's own. */
export declare const revive: (parsed: unknown, buffers: readonly ArrayBuffer[]) => unknown
export declare const copyOf: (bytes: Uint8Array) => ArrayBuffer
/** An error for wrong arguments. */
export declare const misuse: (code: 'E_USAGE' | 'E_VALUE', message: string) => TypeError
export declare const typedArrayTag: (x: unknown) => string | undefined
export declare const typedArrayBuffer: (x: Uint8Array) => ArrayBuffer
/** Calls of the host about module `index`: what it exports, in JSON; what its export `at` returns; parts of its memory. */
export declare const hostModule: (index: string) => string
export declare const hostModuleCall: (index: string, at: number, ...args: unknown[]) => unknown
export declare const hostModuleRead: (index: string, at: number, length: number) => unknown
export declare const hostModuleWrite: (index: string, at: number, bytes: ArrayBuffer) => unknown
/** The run goes on until `promise` has settled. */
export declare const waitUntil: (promise: Promise<unknown>) => void
/** An instance of one of the classes of the groups. */
export declare const isPlatform: (x: object) => boolean
/** An error in words, without its stack and with it. */
export declare const describe: (error: unknown) => { message: string; stack: string }
/** What a value is called in a refusal. */
export declare const kindOf: (x: unknown) => string
/** Ends the run with this error. */
export declare const refuse: (code: 'E_VALUE', message: string) => void
/** Math.random as it was before the function could change it. */
export declare const random: () => number
/** What `Date.now()` says. */
export declare const instant: number
