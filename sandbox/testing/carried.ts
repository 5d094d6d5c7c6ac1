/** Functions with WebAssembly in them, for hosts to run: all that comes out is recorded. */
import { sha256 } from '@noble/hashes/sha2.js'
import { encodeValue, valueFromJson } from '../../protocol/values.ts'
import type { CodeForm } from '../job.ts'
import { ProgramRun } from '../program/run.ts'
import { createSandbox } from '../sandbox.ts'
import { Tracer } from '../tracer.ts'
import { LIMITS } from './program.ts'
import { traceText } from './trace-text.ts'

export interface CarriedProgram extends CodeForm {
  name: string
  /** Base64. */
  code: string
  /** Input as `valueFromJson` reads it. */
  runs: { exportName: string; input: string; fuel?: number; traced?: boolean }[]
}

export interface CarriedRecord {
  exportName: string
  /** `outcome`, or why there is none. */
  kind: string
  /** SHA-256, in hex, of the outcome's bytes, and of the module's memory at the end. */
  outcome: string
  memory: string
  /** Of a run that is traced. */
  trace: string
  /** The outcome in words. */
  said: string
}

const SEED = Uint8Array.from({ length: 32 }, (_, i) => 5 * i + 2)
const SAID_CHARS_MAX = 300

const hex = async (bytes: Uint8Array): Promise<string> => {
  const digest = await globalThis.crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>)
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** So little that even short runs pause often. */
const SLICE_GAS = 10_000

/** Each run twice, with all of its gas and with gas in slices: both must give the same, and so must what is compiled better in the meantime. */
export const performCarried = async (wasm: WebAssembly.Module, program: CarriedProgram): Promise<CarriedRecord[]> => {
  const { name, code, runs } = program
  const bytes = Uint8Array.from(atob(code), (char) => char.charCodeAt(0))
  const [whole, sliced] = [createSandbox({ wasm }), createSandbox({ wasm, sliceGas: SLICE_GAS })]
  for (const sandbox of [whole, sliced]) sandbox.load(name, bytes, LIMITS.memory_bytes, program)
  const all = [whole, sliced].flatMap((sandbox) => runs.map((asked) => ({ asked, sandbox })))
  const records: CarriedRecord[] = []
  for (const { asked, sandbox } of all) {
    const { exportName, input, fuel = LIMITS.fuel, traced } = asked
    const limits = { ...LIMITS, fuel }
    const run = { owner: '', exportName, effects: [], input: encodeValue(valueFromJson(input)), seed: SEED, limits }
    const tracer = traced ? new Tracer(1, sha256) : undefined
    const handle = sandbox.run(name, { ...run, journal: [] }, { tracer })
    const { result } = handle
    const memory = await hex(handle instanceof ProgramRun ? handle.memory : new Uint8Array(0))
    const outcome = result?.kind === 'outcome' ? await hex(result.outcome) : ''
    const said = result?.kind === 'outcome' ? { ...result.decoded.result, fuel: result.decoded.fuel } : result
    const { kind = 'waiting' } = result ?? {}
    const trace = tracer ? traceText(tracer) : ''
    records.push({ exportName, kind, outcome, memory, trace, said: JSON.stringify(said).slice(0, SAID_CHARS_MAX) })
  }
  return records
}
