/** From what the bundler made of the sources to what is published. */

import { EFFECT_KINDS, type EffectKind } from '../protocol/effects.ts'
import { MeshError } from '../protocol/errors.ts'
import { FUEL_DEFAULT, MEMORY_BYTES_DEFAULT, OUTPUT_BYTES_MAX } from '../protocol/limits.ts'
import type { Tier } from '../protocol/tiers.ts'
import type { FunctionBundle } from '../registry/functions.ts'

/** A module of `wayside/bundle`, as far as publishing is concerned. */
export interface SourceBundle {
  tier?: Tier
  code: Uint8Array
  modules?: Uint8Array[]
  name: string
  exports: string[]
  effects: string[]
  limits?: { fuel?: number; memoryBytes?: number; timeoutMs?: number }
  verify?: string
}

const isServed = (effect: string): effect is EffectKind => (EFFECT_KINDS as readonly string[]).includes(effect)

/** Limits not in wayside.json are the house's. Throws MeshError E_CONFIG for effects that this version does not serve. */
export const functionBundleOf = (source: SourceBundle): FunctionBundle => {
  const { tier = 'javascript', code, modules = [], name, exports, effects, limits = {} } = source
  const unserved = effects.find((effect) => !isServed(effect))
  if (unserved !== undefined) {
    const message = `${name} has a binding of kind ${unserved} in wayside.json, which this version does not serve; remove it`
    throw new MeshError('E_CONFIG', { message, effect: unserved })
  }
  return {
    name,
    tier,
    code,
    modules,
    exports,
    effects: effects.filter(isServed),
    limits: {
      fuel: limits.fuel ?? FUEL_DEFAULT,
      memory_bytes: limits.memoryBytes ?? MEMORY_BYTES_DEFAULT,
      output_bytes: OUTPUT_BYTES_MAX,
    },
  }
}
