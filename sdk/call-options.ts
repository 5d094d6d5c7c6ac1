/** What a caller may ask of a call: read once, at the edge. */
import { ensureLevel } from '../peer/calls.ts'
import { MeshError } from '../protocol/errors.ts'
import { ensureGrants, type Grants } from '../protocol/grants.ts'
import {
  FUEL_MAX,
  MEMORY_BYTES_MAX,
  MEMORY_BYTES_MIN,
  OUTPUT_BYTES_MAX,
  TICKS_MAX,
  TIMEOUT_MS_DEFAULT,
  TIMEOUT_MS_MAX,
} from '../protocol/limits.ts'
import type { Limits } from '../protocol/outcome.ts'

/** Limits on one execution; those not given are the function's own. */
export interface CallLimits {
  /** Deterministic steps. */
  fuel?: number
  memoryBytes?: number
  outputBytes?: number
}

export interface MapOptions {
  /**
   * `none`, `audit`, `self` or `quorum:N`. Default: that of the function's wayside.json, else `audit`, or `self` if the
   * function requests anything.
   */
  verify?: string
  /** For each call, from when it is made. Default: that of wayside.json, else 5 minutes. */
  timeoutMs?: number
  limits?: CallLimits
  /** Ends what is under way with E_CANCELLED. */
  signal?: AbortSignal
  /** Rather fail with E_NO_PEER than execute on this machine, and never be answered from the memo. */
  remote?: boolean
  /**
   * Code, input and journal may be shown to anybody: a proof that an executor lied about it is then told to other machines
   * of the mesh. Default: it stays with yours.
   */
  public?: boolean
  /**
   * What the function may ask for, by the names in its `env`: state, origins, secrets of the home. Default: what its
   * wayside.json says; a function named by its CID gets nothing else.
   */
  grants?: Grants
  /** Items as they are done, not in the order of the inputs. */
  unordered?: boolean
}

export interface CallOptions extends Omit<MapOptions, 'unordered'> {
  /** Resolve to `{ value, receipt }`. */
  receipt?: boolean
  /**
   * With `receipt`: it carries hashes of the memory, one every so many ticks of 10,000 fuel, by which two runs that differ
   * can be compared down to the tick. Takes a few times as long, or ten for a WebAssembly function.
   */
  traceTicks?: number
}

/** What a function's wayside.json says for every call of it. */
/** What a durable invocation may be asked. `timeoutMs`: to its end; default that of wayside.json, else a day. */
export type StartOptions = Omit<MapOptions, 'unordered' | 'signal'>

export interface CallDefaults {
  verify?: string | undefined
  timeoutMs?: number | undefined
  grants?: Grants | undefined
}

const OPTIONS = [
  ...['verify', 'timeoutMs', 'limits', 'signal', 'remote', 'public', 'grants'],
  ...['unordered', 'receipt', 'traceTicks'],
]
const RANGES: Record<keyof CallLimits, [min: number, max: number]> = {
  fuel: [1, FUEL_MAX],
  memoryBytes: [MEMORY_BYTES_MIN, MEMORY_BYTES_MAX],
  outputBytes: [0, OUTPUT_BYTES_MAX],
}

const ensureInteger = (name: string, x: unknown, [min, max]: [number, number]): void => {
  if (Number.isInteger(x) && (x as number) >= min && (x as number) <= max) return
  throw new MeshError('E_USAGE', {
    message: `${name} is ${String(x)}; use an integer from ${min} to ${max}`,
    option: name,
  })
}

/** Throws MeshError E_USAGE. `name`: of the option, and of that which asks for a receipt. */
export const ensureTraceTicks = (name: string, ticks: unknown, receiptName: string, receipt: boolean): void => {
  ensureInteger(name, ticks, [1, TICKS_MAX])
  const message = `${name} has no receipt to go into; give ${receiptName} as well`
  if (!receipt) throw new MeshError('E_USAGE', { message, option: name })
}

const ensureKnown = (given: object, known: readonly string[], prefix: string): void => {
  const unknown = Object.keys(given).find((key) => !known.includes(key))
  if (unknown === undefined) return
  const message = `unknown option ${prefix}${unknown}; there are ${known.map((key) => prefix + key).join(', ')}`
  throw new MeshError('E_USAGE', { message, option: prefix + unknown })
}

/** Throws MeshError E_USAGE that names the option. */
export const ensureCallOptions = (options: MapOptions & CallOptions): void => {
  ensureKnown(options, OPTIONS, '')
  const { verify, timeoutMs, limits, signal, grants, receipt = false, traceTicks } = options
  if (grants !== undefined) ensureGrants(grants)
  if (verify !== undefined) ensureLevel(verify)
  if (timeoutMs !== undefined) ensureInteger('timeoutMs', timeoutMs, [1, TIMEOUT_MS_MAX])
  if (traceTicks !== undefined) ensureTraceTicks('traceTicks', traceTicks, 'receipt: true', receipt)
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new MeshError('E_USAGE', {
      message: 'signal is no AbortSignal; use that of an AbortController',
      option: 'signal',
    })
  }
  if (limits === undefined) return
  ensureKnown(limits, Object.keys(RANGES), 'limits.')
  for (const [name, range] of Object.entries(RANGES)) {
    const given = limits[name as keyof CallLimits]
    if (given !== undefined) ensureInteger(`limits.${name}`, given, range)
  }
}

/** The options as a backend takes them; the caller's before the function's before the house's. No level: the peer's choice. */
export const backendOptions = (options: MapOptions, defaults: CallDefaults) => ({
  verify: options.verify ?? defaults.verify,
  timeoutMs: options.timeoutMs ?? defaults.timeoutMs ?? TIMEOUT_MS_DEFAULT,
  remote: options.remote ?? false,
  public: options.public ?? false,
  grants: options.grants ?? defaults.grants,
})

/** All limits of an execution: those given, else the function's own. */
export const mergeLimits = (given: CallLimits, own: Limits): Limits => ({
  fuel: given.fuel ?? own.fuel,
  memory_bytes: given.memoryBytes ?? own.memory_bytes,
  output_bytes: given.outputBytes ?? own.output_bytes,
})
