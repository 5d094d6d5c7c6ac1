/** What kinds of code functions are made of, and which engines run them. */
import { MeshError } from './errors.ts'

export const TIERS = ['javascript', 'webassembly'] as const
export type Tier = (typeof TIERS)[number]

/** What the engine IDs of a tier begin with. */
const KINDS: Record<Tier, string> = { javascript: 'quickjs:', webassembly: 'wasm:' }

export const runsTier = (engine: string, tier: Tier): boolean => engine.startsWith(KINDS[tier])

/** The first of `engines` that runs functions of `tier`. Throws MeshError E_ENGINE_UNAVAILABLE. */
export const engineFor = (engines: readonly string[], tier: Tier): string => {
  const found = engines.find((engine) => runsTier(engine, tier))
  if (found) return found
  throw new MeshError('E_ENGINE_UNAVAILABLE', `this peer has no engine for functions of the ${tier} tier; update it`)
}
