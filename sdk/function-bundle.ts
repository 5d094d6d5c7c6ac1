/** From what the bundler made of the sources to what is published. */

import { BINDING_KINDS, type BindingKind, EFFECT_KINDS, type EffectKind } from '../protocol/effects.ts'
import { MeshError } from '../protocol/errors.ts'
import type { Grant, Grants } from '../protocol/grants.ts'
import { FUEL_DEFAULT, MEMORY_BYTES_DEFAULT, OUTPUT_BYTES_MAX } from '../protocol/limits.ts'
import type { Binding } from '../protocol/records.ts'
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
  /** What the function finds in its `env`, and what it is granted there. */
  env?: Grants
  /** The same where nothing is granted. */
  bindings?: readonly Binding[]
  limits?: { fuel?: number; memoryBytes?: number; timeoutMs?: number }
  verify?: string
}

const isServed = (effect: string): effect is EffectKind => (EFFECT_KINDS as readonly string[]).includes(effect)

const kindOf = (grant: Grant) => BINDING_KINDS.find((kind) => kind in grant) as BindingKind

/** What is wanted, without what is granted. */
export const bindingsOf = ({ env = {}, bindings }: Pick<SourceBundle, 'env' | 'bindings'>): readonly Binding[] =>
  bindings ?? Object.entries(env).map(([name, grant]) => ({ name, kind: kindOf(grant) }))

/** Limits not in wayside.json are the house's. Throws MeshError E_CONFIG for effects that this version does not serve. */
export const functionBundleOf = (source: SourceBundle): FunctionBundle => {
  const { tier = 'javascript', code, modules = [], name, exports, effects, limits = {} } = source
  const unserved = effects.find((effect) => !isServed(effect))
  if (unserved !== undefined) {
    const message = `${name} requests ${unserved}, which this version does not serve; bundle it with this one`
    throw new MeshError('E_CONFIG', { message, effect: unserved })
  }
  return {
    name,
    tier,
    code,
    modules,
    exports,
    effects: effects.filter(isServed),
    env: bindingsOf(source),
    limits: {
      fuel: limits.fuel ?? FUEL_DEFAULT,
      memory_bytes: limits.memoryBytes ?? MEMORY_BYTES_DEFAULT,
      output_bytes: OUTPUT_BYTES_MAX,
    },
  }
}
