/** Reads that travel with an item, as both ends of it see them. Pure. */
import type { EffectKind } from '../protocol/effects.ts'
import type { EffectRequest, Guess } from '../protocol/journal.ts'
import { sameBytes } from '../protocol/same-bytes.ts'

/** Those of one item, each in its place; undefined: it was used. */
export type Guesses = (Guess | undefined)[]

/** A step may end with one of these, and what was guessed in it is nothing to go by in the next. */
export const endsGuessing = (kind: EffectKind): boolean => kind === 'call' || kind === 'fetch' || kind === 'sleep'

/** The place of a guess at what is requested; -1: there is none. */
export const placeOfGuess = (guesses: Guesses, { kind, arguments: wanted }: EffectRequest): number =>
  guesses.findIndex((one) => one?.kind === kind && sameBytes(one.arguments, wanted))
