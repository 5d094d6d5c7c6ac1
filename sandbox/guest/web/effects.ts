/** What a function asks of its home, by `ctx` and `env`. Evaluated before the module of one whose manifest declares any. */
import { copyOf, misuse, Refusal, request, revive, textOf, use, wait, written } from './prelude-exports.ts'

// Kept, since the function may change them for itself.
const { defineProperty, freeze, setPrototypeOf } = Object
const { parse } = JSON
const KeptPromise = Promise
const copyBuffer = Function.prototype.call.bind(ArrayBuffer.prototype.slice) as (buffer: ArrayBuffer) => ArrayBuffer

/** What was told, to be read again. */
export interface Told {
  readonly text: string
  readonly buffers: ArrayBuffer[]
}

/** A list without a prototype, so that no setter of the function is met. */
const newList = <T>(): T[] => setPrototypeOf([], null)

let stepsEnded = 0

/** A request that may stand between two steps: what was written before may be committed, and changed by others, from then on. */
export const endStep = (): void => {
  stepsEnded++
}

/** How many so far may have ended a step: what was told before the last of them is the home's to say. */
export const endedSteps = (): number => stepsEnded

const argumentsText = (args: object, kind: string): string => {
  try {
    return textOf(args, kind)
  } catch (error) {
    throw error instanceof Refusal ? misuse('E_VALUE', error.text) : error
  }
}

const begin = (kind: string, args: object, resolve: (answer: unknown) => void, reject: (error: unknown) => void) => {
  wait(kind, argumentsText(args, kind), resolve, reject)
  if (kind === 'call' || kind === 'fetch') endStep()
}

/** Asks the home; resolves with its answer. `args`: a map. Rejects with what is wrong with them, or with what the home says. */
export const ask = (kind: string, args: object): Promise<unknown> =>
  new KeptPromise((resolve, reject) => begin(kind, args, resolve, reject))

/** The same of what is deferred, which nobody answers. Throws what is wrong with `args` at once: nobody may be waiting. */
export const tell = (kind: string, args: object): Told => {
  const text = argumentsText(args, kind)
  const sent = written()
  const buffers = newList<ArrayBuffer>()
  for (let i = 0; i < sent.length; i++) buffers[i] = copyOf(sent[i] as Uint8Array)
  request(kind, text)
  return { text, buffers }
}

/** The arguments that were told, as they were then. */
export const retold = ({ text, buffers }: Told): unknown => {
  const received = newList<ArrayBuffer>()
  for (let i = 0; i < buffers.length; i++) received[i] = copyBuffer(buffers[i] as ArrayBuffer)
  return revive(parse(text), received)
}

export const call = (ref: unknown, input: unknown, options: unknown): Promise<unknown> =>
  new KeptPromise((resolve, reject) => {
    // biome-ignore lint/style/useTemplate: the engine makes a template by String.prototype.concat, which the function may change
    const args = { __proto__: null, ref: '' + ref, input: input === undefined ? null : input, options }
    begin('call', args, resolve, reject)
  })

export const now = (): Promise<unknown> => ask('now', { __proto__: null })

export const random = (bytes: unknown): Promise<unknown> => ask('random', { __proto__: null, bytes })

/** What `env` has for a binding. */
const bindingOf = (name: string, kind: string): unknown => {
  // biome-ignore lint/style/useTemplate: the engine makes a template by a method that the function may change
  if (kind === 'secret') return '{wayside-secret:' + name + '}'
  return kind === 'state' ? use('state').newState(name) : use('fetcher').newFetcher(name)
}

/** Of the manifest's bindings, by name and kind. */
export const envOf = (bindings: readonly [string, string][]): object => {
  const made = {}
  for (let i = 0; i < bindings.length; i++) {
    const [name, kind] = bindings[i] as [string, string]
    defineProperty(made, name, {
      __proto__: null,
      value: bindingOf(name, kind),
      enumerable: true,
    } as PropertyDescriptor)
  }
  return freeze(made)
}
