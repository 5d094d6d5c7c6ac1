/** Values on their way out, outcomes on their way back. */
import { MeshError } from '../protocol/errors.ts'
import { INPUT_BYTES_MAX } from '../protocol/limits.ts'
import type { ConsoleLine, Outcome } from '../protocol/outcome.ts'
import { decodeValue, encodeValue, ensureValue, type Value } from '../protocol/values.ts'
import type { BackendEnd, BackendResult } from './backend.ts'

/** How a call was carried out. */
export interface CallReceipt {
  /** The signed receipts with all that they name, encoded: whoever has these bytes can check them by re-execution. */
  file: Uint8Array
  /** PeerIds of those whose executions were compared; the first gave the answer. */
  executors: string[]
  /** Executed on this machine, because no peer was in reach. */
  local: boolean
  /** How the answer was checked, by this machine's word: nobody signs for it. */
  verification: BackendResult['verification']
  /** Executions that it took, and how many of them made up for a lost, failed or slow one. */
  executions: number
  recovered: number
  /** Deterministic steps, and the bytes that the execution held at most. */
  fuel: number
  memoryBytes: number
  /** What the function wrote with `console`. */
  console: ConsoleLine[]
  /** Those who signed another answer, each with its receipt and one for this answer; at a quorum they were outvoted. */
  disputes: BackendResult['disputes']
}

/** Throws MeshError E_VALUE with the path of what cannot cross (`input.items[3].when: Date`), or E_INPUT if too large. */
export const encodeInput = (input: unknown): Uint8Array => {
  const encoded = encodeValue(ensureValue(input, 'input'))
  if (encoded.length <= INPUT_BYTES_MAX) return encoded
  const message = `the input has ${encoded.length} bytes, over the limit of ${INPUT_BYTES_MAX}; send less, or split it with mesh.map`
  throw new MeshError('E_INPUT', { message, bytes: encoded.length, limit_bytes: INPUT_BYTES_MAX })
}

/** What the function printed, with the stacks in it led back to the sources. */
export const consoleOf = ({ console }: Outcome, readStack: (text: string) => string): ConsoleLine[] =>
  console.map(({ level, text }) => ({ level, text: readStack(text) }))

/**
 * The function's value. Throws its error as MeshError, with the guest's stack and console output in `fields`, and the
 * receipt if there is one: a failure too is signed.
 */
export const answerOf = (outcome: Outcome, readStack: (text: string) => string, receipt?: CallReceipt): Value => {
  const { result } = outcome
  if (result.ok) return decodeValue(result.value)
  const fields = {
    message: result.message,
    stack: readStack(result.stack),
    console: consoleOf(outcome, readStack),
  }
  throw new MeshError(result.code, receipt ? { ...fields, receipt } : fields)
}

/** The value of a durable invocation that has ended. Throws its error as `answerOf`; E_CANCELLED for one that was cancelled. */
export const endedWith = ({ outcome, error }: BackendEnd, readStack: (text: string) => string): Value => {
  if (outcome) return answerOf(outcome, readStack)
  throw error ? new MeshError(error.code, error.message) : new MeshError('E_CANCELLED', 'the invocation was cancelled')
}

export const receiptOf = (result: BackendResult, readStack: (text: string) => string): CallReceipt => {
  const { outcome, receiptFile, executors, local, verification, executions, recovered, disputes } = result
  if (!receiptFile) throw new MeshError('E_INTERNAL', 'a receipt was asked for and none came; report this')
  const { fuel, memory_bytes: memoryBytes } = outcome
  const how = { executors, local, verification, executions, recovered, disputes }
  return { file: receiptFile, ...how, fuel, memoryBytes, console: consoleOf(outcome, readStack) }
}

export const actsByNone = (): MeshError =>
  new MeshError('E_USAGE', 'its home is on this machine, and acts by no delegation; to end it, cancel it')
