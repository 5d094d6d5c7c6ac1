/** A reference to a function, with its types. Nothing is read or bundled until it is first called. */
import { MeshError } from '../protocol/errors.ts'
import type { Value } from '../protocol/values.ts'

declare const signature: unique symbol

/** What `mesh.call` and `mesh.map` take. `Output` is what the caller gets. */
export interface Fn<Input, Output> {
  /** A path, the text of a file: URL, or a CID. */
  readonly source: string
  readonly export: string
  /** Exists for the compiler alone. */
  readonly [signature]?: (input: Input) => Output
}

// biome-ignore lint/suspicious/noExplicitAny: parameters are contravariant; no other type accepts every function.
type Callable = (...args: any[]) => unknown

/** A bare undefined arrives as null. */
// biome-ignore lint/suspicious/noConfusingVoidType: a function without `return` says void.
type Crossed<T> = T extends undefined | void ? null : T

type FnOf<F> = F extends Callable ? Fn<Parameters<F>[0], Crossed<Awaited<ReturnType<F>>>> : never

/** The names under which a module exports functions. */
type CallableKeys<Module> = { [K in keyof Module]: Module[K] extends Callable ? K : never }[keyof Module] & string

/**
 * A function by its source: a file: URL, a path (from the working directory) or a CID; `#name` at its end, or
 * `export`, names an export other than the default one. Throws MeshError E_USAGE.
 *
 *     fn<typeof import('./tile.ts').default>(new URL('./tile.ts', import.meta.url))
 *     fn<typeof import('./shop.ts'), 'visit'>('./shop.ts', { export: 'visit' })
 *     fn<typeof import('./shop.ts').visit>('./shop.ts#visit')
 */
export function fn<F extends Callable = (input: unknown) => Value>(
  source: string | URL,
  options?: { export?: string },
): FnOf<F>
export function fn<Module extends object, Name extends CallableKeys<Module>>(
  source: string | URL,
  options: { export: Name },
): FnOf<Module[Name]>
export function fn(source: string | URL, options: { export?: string } = {}): Fn<unknown, unknown> {
  if (!(source instanceof URL) && (typeof source !== 'string' || source === '')) {
    const found = source === '' ? 'an empty text' : source === null ? 'null' : typeof source
    throw new MeshError('E_USAGE', `fn() takes a file: URL, a path or a CID, not ${found}`)
  }
  const text = String(source)
  const [suffix, written] = EXPORT_SUFFIX.exec(text) ?? []
  // In a URL an export such as `größe` stands percent-encoded.
  const named = written !== undefined && source instanceof URL ? decodeURIComponent(written) : written
  const chosen = options.export ?? named ?? 'default'
  if (chosen === '' || (named !== undefined && named !== chosen)) {
    throw new MeshError('E_USAGE', `${text}: name one export, after # or as { export }`)
  }
  return Object.freeze({ source: suffix === undefined ? text : text.slice(0, -suffix.length), export: chosen })
}

/** Folders too may have a # in their names. */
const EXPORT_SUFFIX = /#([^#/\\.]*)$/
