/**
 * What a function will read, by what it read before for like inputs: its keys are mostly made of what stands in its input.
 * Pure. What is learnt wrongly costs the bytes of a guess, until it is forgotten.
 */
import { decodeArguments } from '../../protocol/effects.ts'
import { MeshError } from '../../protocol/errors.ts'
import { GUESSES_MAX, KIB } from '../../protocol/limits.ts'
import type { Outcome } from '../../protocol/outcome.ts'
import { decodeValue, type Value } from '../../protocol/values.ts'
import type { CallRequest } from '../calls.ts'
import { endsGuessing } from '../guesses.ts'
import { partsOf, type TextPart, textOf, textsIn } from './text-parts.ts'

/** Of an input that is larger what makes up its keys is not looked for: calls with such take longer than a round trip. */
const INPUT_BYTES_MAX = 16 * KIB
/** Functions, by export, of which something is remembered; whoever is called least of late is forgotten. */
const FUNCTIONS_MAX = 256
/** Reads remembered of one: as many as travel, and as many that may yet. */
const TEMPLATES_MAX = 2 * GUESSES_MAX
/** It travels when it has been right so often. */
const SEEN_MIN = 2
/** It is forgotten when it was wrong so often, one time after another. */
const MISSED_MAX = 8

/** A read of state, as its function asks for it: `text` is the key of a get, the prefix of a list. */
export interface LikelyRead {
  kind: 'get' | 'list'
  binding: string
  text: string
  /** Of a list: entries at most. */
  limit: number
}

/** How often executors read. */
export interface ReadCounts {
  /** Answered by what had travelled with the call. */
  foreseen: number
  /** Asked for. */
  asked: number
  /** Times that a function waited for what it asked for: for several reads at once it waits once. */
  waits: number
}

type Call = Pick<CallRequest, 'function' | 'export' | 'input'>

interface Template extends Omit<LikelyRead, 'text'> {
  parts: readonly TextPart[]
  seen: number
  missed: number
}

export class Foresight {
  readonly #functions = new Map<string, Template[]>()
  readonly counts: ReadCounts = { foreseen: 0, asked: 0, waits: 0 }

  /** What a call with this input will read first, as far as that is known. */
  likely(name: string, input: Value): LikelyRead[] {
    const found: LikelyRead[] = []
    for (const one of this.#functions.get(name) ?? []) {
      if (one.seen < SEEN_MIN || found.length === GUESSES_MAX) continue
      const text = textOf(one.parts, input)
      if (text === undefined) continue
      const read = { kind: one.kind, binding: one.binding, text, limit: one.limit }
      if (!found.some((other) => isSame(other, read))) found.push(read)
    }
    return found
  }

  /** What a call will read first. */
  of(call: Call): LikelyRead[] {
    const input = inputOf(call)
    return input === undefined ? [] : this.likely(nameOf(call), input)
  }

  /** What a call has requested, as it has been verified at its level. */
  learn(call: Call, requests: Outcome['requests']): void {
    const input = inputOf(call)
    if (input !== undefined) this.note(nameOf(call), input, requests)
  }

  /** That a call with this input has made these requests. */
  note(name: string, input: Value, requests: Outcome['requests']): void {
    const known = this.#functions.get(name) ?? []
    const reads = readsIn(requests)
    if (known.length === 0 && reads.length === 0) return
    const unknown = new Set(reads)
    for (const one of known) {
      const text = textOf(one.parts, input)
      const right = reads.find((read) => read.text === text && isSame(read, { ...one, text }))
      one.seen += right ? 1 : 0
      one.missed = right ? 0 : one.missed + 1
      if (right) unknown.delete(right)
    }
    const kept = known.filter(({ missed }) => missed <= MISSED_MAX)
    const texts = unknown.size > 0 ? textsIn(input) : []
    for (const { text, ...read } of unknown) add(kept, { ...read, parts: partsOf(text, texts), seen: 1, missed: 0 })
    this.#remember(name, kept)
  }

  #remember(name: string, templates: Template[]): void {
    this.#functions.delete(name)
    this.#functions.set(name, templates)
    if (this.#functions.size > FUNCTIONS_MAX) this.#functions.delete(this.#functions.keys().next().value as string)
  }
}

/** What is alike. */
const nameOf = (call: Call): string => `${call.function}#${call.export}`

const inputOf = ({ input }: Call): Value | undefined =>
  input.length > INPUT_BYTES_MAX ? undefined : decodeValue(input)

const isSame = (a: LikelyRead, b: LikelyRead): boolean =>
  a.kind === b.kind && a.text === b.text && a.binding === b.binding && a.limit === b.limit

/** Where there is no room it takes the place of the one that is the longest wrong, if there is any. */
const add = (templates: Template[], one: Template): void => {
  if (templates.length < TEMPLATES_MAX) {
    templates.push(one)
    return
  }
  let worst = 0
  for (let i = 1; i < templates.length; i++) {
    if ((templates[i] as Template).missed > (templates[worst] as Template).missed) worst = i
  }
  if ((templates[worst] as Template).missed > 0) templates[worst] = one
}

/** What is read before anything that may end the step, each once. Of a list only the first page. */
const readsIn = (requests: Outcome['requests']): LikelyRead[] => {
  const reads: LikelyRead[] = []
  for (const { kind, arguments: encoded } of requests) {
    if (endsGuessing(kind) || reads.length === GUESSES_MAX) break
    const read = readIn(kind, encoded)
    if (read && !reads.some((other) => isSame(other, read))) reads.push(read)
  }
  return reads
}

/** At `none` an executor may have said that its function requested what is no request at all. */
const readIn = (...request: Parameters<typeof readOf>): LikelyRead | undefined => {
  try {
    return readOf(...request)
  } catch (cause) {
    if (cause instanceof MeshError) return undefined
    throw cause
  }
}

const readOf = (kind: Outcome['requests'][number]['kind'], encoded: Uint8Array): LikelyRead | undefined => {
  if (kind === 'get') {
    const { binding, key } = decodeArguments(kind, encoded)
    return { kind, binding, text: key, limit: 0 }
  }
  if (kind !== 'list') return undefined
  const { binding, prefix, after, limit } = decodeArguments(kind, encoded)
  return after === null ? { kind, binding, text: prefix, limit } : undefined
}
