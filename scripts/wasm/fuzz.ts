/**
 * Metered modules, changed a little: each is refused, by us or by the host, or really pays for all that it runs, which
 * a count by the instruction shows, and gives back the stack that it took.
 */
import type { Random } from '../../protocol/ports.ts'
import { GAS_EXPORT, type MeteredLimits, STACK_EXPORT, START_EXPORT } from '../../sandbox/wasm/form.ts'
import { CHARGE } from '../../sandbox/wasm/patterns.ts'
import { readModule, SECTION } from '../../sandbox/wasm/sections.ts'
import { validateMetered } from '../../sandbox/wasm/validate.ts'
import { seededRandom } from '../../simulations/random.ts'
import type { FuzzResult } from '../protocol/fuzz-target.ts'
import { charge, LIMITS, sized, u32 } from './modules.ts'
import { type Piece, piecesOf, withSections } from './pieces.ts'
import { COUNT_EXPORT, withReferenceCount } from './reference.ts'

const GAS = 20_000n
const STACK = 20_000n
const CRASHERS_MAX = 10
/** As good as a hang for a module of some kilobytes, on any machine. */
const INPUT_MS_MAX = 5000
const NO_IMPORTS: MeteredLimits = { ...LIMITS, imports: new Map() }
const ARGUMENTS = [7, 3, 2, 1]

type Checks = (bytes: Uint8Array) => boolean
const isMetered: Checks = (bytes) => validateMetered(bytes, NO_IMPORTS).ok

/** Did the checker and the host take it? If so, `why` says what it should not have been taken for. */
export const tryModule = (bytes: Uint8Array, checks: Checks = isMetered): { accepted: boolean; why?: string } => {
  const startedMs = performance.now()
  const accepted = checks(bytes) && compiles(bytes)
  const why = accepted ? whyNot(bytes) : undefined
  if (why !== undefined) return { accepted, why }
  const tookMs = performance.now() - startedMs
  return tookMs > INPUT_MS_MAX ? { accepted, why: `took ${Math.round(tookMs)} ms` } : { accepted }
}

const compiles = (bytes: Uint8Array): boolean => {
  try {
    return new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>) instanceof WebAssembly.Module
  } catch {
    return false
  }
}

const whyNot = (bytes: Uint8Array): string | undefined => {
  let instance: WebAssembly.Instance
  try {
    instance = new WebAssembly.Instance(
      new WebAssembly.Module(withReferenceCount(bytes) as Uint8Array<ArrayBuffer>),
      {},
    )
  } catch (error) {
    // A segment beyond its memory or table.
    return error instanceof WebAssembly.RuntimeError ? undefined : `is read otherwise by the host: ${error}`
  }
  const { exports } = instance
  const names = Object.keys(exports).filter((name) => typeof exports[name] === 'function')
  const order = names.sort((a, b) => Number(b === START_EXPORT) - Number(a === START_EXPORT))
  for (const name of order) {
    const why = whyNotCall(exports, name)
    if (why !== undefined) return `${name}: ${why}`
  }
  return undefined
}

const whyNotCall = (exports: Record<string, unknown>, name: string): string | undefined => {
  const globals = exports as Record<string, { value: bigint }>
  const set = (global: string, value: bigint) => Object.assign(globals[global] as object, { value })
  set(GAS_EXPORT, GAS)
  set(STACK_EXPORT, STACK)
  set(COUNT_EXPORT, 0n)
  let failed: unknown
  try {
    ;(exports[name] as (...args: unknown[]) => unknown)(...ARGUMENTS)
  } catch (error) {
    failed = error
  }
  const used = GAS - globals[GAS_EXPORT]!.value
  const count = globals[COUNT_EXPORT]!.value
  if (used < count) return `ran for ${count} gas and paid ${used}`
  if (failed === undefined && used > GAS) return `went on without gas`
  if (failed === undefined && globals[STACK_EXPORT]!.value !== STACK) return 'took stack and kept it, or gave more back'
  return failed instanceof RangeError ? `${failed}` : undefined
}

type Draw = Random['below']
const pick = <T>(below: Draw, list: readonly T[]): T => list[below(list.length)] as T

/** Bytes that change where they stand. */
const changeBytes = (below: Draw, bytes: Uint8Array): Uint8Array => {
  const out = bytes.slice()
  for (let edits = 1 + below(3); edits > 0; edits--) {
    const at = below(out.length)
    out[at] = below(2) === 0 ? out[at]! ^ (1 << below(8)) : below(256)
  }
  return out
}

/** What may happen to the pieces of a body. */
const PIECE_EDITS: readonly ((below: Draw, pieces: Piece[]) => void)[] = [
  function remove(below, pieces) {
    pieces.splice(below(pieces.length), 1 + below(2))
  },
  function removeCharge(below, pieces) {
    const charges = pieces.filter(({ pattern }) => pattern !== undefined)
    if (charges.length > 0) pieces.splice(pieces.indexOf(pick(below, charges)), 1)
  },
  function chargeOtherwise(below, pieces) {
    const charges = pieces.filter(({ pattern }) => pattern === CHARGE)
    if (charges.length === 0) return
    const chosen = pick(below, charges)
    const cost = Math.max(1, chosen.filling.cost + below(5) - 2)
    pieces[pieces.indexOf(chosen)] = { ...chosen, bytes: Uint8Array.from(charge(cost)) }
  },
  function repeat(below, pieces) {
    const from = below(pieces.length)
    pieces.splice(below(pieces.length), 0, ...pieces.slice(from, from + 1 + below(4)))
  },
  function exchange(below, pieces) {
    const [a, b] = [below(pieces.length), below(pieces.length)]
    const kept = pieces[a]!
    pieces[a] = pieces[b]!
    pieces[b] = kept
  },
  function move(below, pieces) {
    const [moved] = pieces.splice(below(pieces.length), 1)
    pieces.splice(below(pieces.length + 1), 0, moved!)
  },
  function changeInside(below, pieces) {
    const at = below(pieces.length)
    pieces[at] = { ...pieces[at]!, bytes: changeBytes(below, pieces[at]!.bytes) }
  },
]

/** One body in other pieces, with all lengths right. */
const changePieces = (below: Draw, bytes: Uint8Array): Uint8Array => {
  const parts = readModule(bytes)
  const chosen = below(parts.bodies.length)
  const bodies = parts.bodies.map((body, index) => {
    if (index !== chosen) return sized([...body.bytes.subarray(body.at, body.end)])
    const { declared, pieces } = piecesOf(body, parts, parts.functions[index]!, parts.globals.length - 2)
    for (let edits = 1 + below(2); edits > 0 && pieces.length > 1; edits--) pick(below, PIECE_EDITS)(below, pieces)
    return sized([...declared, ...pieces.flatMap((piece) => [...piece.bytes])])
  })
  return withSections(parts, { [SECTION.code]: [...u32(bodies.length), ...bodies.flat()] })
}

/** Tries `inputs` changed modules, the same ones for the same seed. Stops after a few crashers. */
export const fuzzMetered = (
  samples: readonly Uint8Array[],
  seed: number,
  inputs: number,
  checks = isMetered,
): FuzzResult => {
  const { below } = seededRandom(seed)
  const crashers: { target: string; bytes: Uint8Array; why: string }[] = []
  let accepted = 0
  let tried = 0
  for (; tried < inputs && crashers.length < CRASHERS_MAX; tried++) {
    const bytes = pick(below, below(3) === 0 ? [changeBytes] : [changePieces])(below, pick(below, samples))
    const result = tryModule(bytes, checks)
    if (result.accepted) accepted++
    if (result.why !== undefined) crashers.push({ target: METERED, bytes, why: result.why })
  }
  return { inputs: tried, accepted, crashers }
}

export const METERED = 'metered module'
