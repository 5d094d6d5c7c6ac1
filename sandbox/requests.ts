/** What a guest may not request. */
import { EFFECT_KINDS, type EffectKind, ensureArguments } from '../protocol/effects.ts'
import { MeshError } from '../protocol/errors.ts'
import { MESSAGE_CHARS_MAX } from '../protocol/limits.ts'
import type { Value } from '../protocol/values.ts'
import { plainText } from './plain-text.ts'

/** Why a request of a kind that the manifest does not declare ends its run. */
export const undeclared = (kind: EffectKind): string =>
  `it requested "${kind}", which its manifest does not declare${kind === 'sleep' ? ': a timer with a delay, which the bundler finds where a source of your own names setTimeout, setInterval or AbortSignal.timeout' : ''}`

/** What is wrong with the arguments of a request, in words. */
export const faultIn = (kind: EffectKind, args: Value): string | undefined => {
  try {
    ensureArguments(kind, args)
    return undefined
  } catch (cause) {
    if (cause instanceof MeshError) return plainText(cause.message, MESSAGE_CHARS_MAX)
    throw cause
  }
}

export const isEffectKind = (kind: string): kind is EffectKind => (EFFECT_KINDS as readonly string[]).includes(kind)
