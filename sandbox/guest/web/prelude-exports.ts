/**
 * What the prelude hands to the groups (`../web.ts`). Types only: in the guest, an import of this file, or of the first
 * file of another group, is a call of `use`.
 */

/** Some of the groups by their names: what their first files export. */
interface Groups {
  blob: typeof import('./blob.ts')
  digest: typeof import('./digest.ts')
  events: typeof import('./events.ts')
  exception: typeof import('./exception.ts')
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
/** Calls `run` when the home has waited for so long: the effect `sleep`. */
export declare const sleep: (ms: number, run: () => void) => void
/** Calls `run` when all jobs are done. */
export declare const turn: (run: () => void) => void
/** What was told, to be read again. */
export interface Told {
  readonly told: never
}
/** Asks the home; resolves with its answer. `args`: a map. Rejects with what is wrong with them, or with what the home says. */
export declare const ask: (kind: string, args: object) => Promise<unknown>
/** The same of what is deferred, which nobody answers. Throws what is wrong with `args`. */
export declare const tell: (kind: string, args: object) => Told
/** The arguments that were told, as they were then. */
export declare const retold: (told: Told) => unknown
/** How many requests so far may have ended a step: what was told before the last of them is the home's to say. */
export declare const endedSteps: () => number
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
