/** What a guest may not request. */
import { EFFECT_KINDS, type EffectKind, ensureArguments } from '../protocol/effects.ts'
import { MeshError } from '../protocol/errors.ts'
import { MESSAGE_CHARS_MAX } from '../protocol/limits.ts'
import type { Value } from '../protocol/values.ts'
import { plainText } from './plain-text.ts'

const FOUND_BY: Partial<Record<EffectKind, string>> = {
  sleep:
    'a timer with a delay, which the bundler finds where a source of your own names setTimeout, setInterval or AbortSignal.timeout',
  ...Object.fromEntries(
    ['put', 'delete', 'send'].map((kind) => [kind, `the bundler finds it where a source of your own says .${kind}`]),
  ),
  ...Object.fromEntries(
    ['call', 'now', 'random'].map((kind) => [
      kind,
      `the bundler finds it where a source of your own says ctx.${kind}(`,
    ]),
  ),
}

/** Why a request of a kind that the manifest does not declare ends its run. */
export const undeclared = (kind: EffectKind): string => {
  const hint = FOUND_BY[kind]
  return `it requested "${kind}", which its manifest does not declare${hint ? `: ${hint}` : ''}`
}

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
