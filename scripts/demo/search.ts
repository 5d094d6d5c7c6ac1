/** Searches numbers for the longest Collatz sequence on the mesh, at `audit`: many short tasks, each done once or twice. */
import { type Longest, longest } from '../../examples/collatz/collatz.ts'
import { createCrypto } from '../../node/crypto.ts'
import { type CallRequest, taskOf } from '../../peer/calls.ts'
import { inputsOf } from '../../peer/inputs.ts'
import { ensureCid } from '../../protocol/cid.ts'
import { MeshError } from '../../protocol/errors.ts'
import { decodeValue, encodeValue } from '../../protocol/values.ts'
import { ENGINES } from '../../sandbox/engines.ts'
import type { BackendResult } from '../../sdk/backend.ts'
import type { Home } from './home.ts'

export const TASKS = 20_000
const NUMBERS = 25
/** All numbers below it are searched. */
export const LIMIT = TASKS * NUMBERS
const EXPORT = 'longest'
const TASK_TIMEOUT_MS = 110_000

export interface Answer {
  index: number
  value: Longest
  isRight: boolean
  result: BackendResult
}

/** From the largest numbers down: their sequences are about as long, and so one task says how long the next will take. */
const rangeOf = (index: number) => {
  const block = index < TASKS ? TASKS - 1 - index : index
  return { from: block * NUMBERS, to: (block + 1) * NUMBERS }
}
const inputOf = (index: number): Uint8Array => encodeValue(rangeOf(index))

function* inputsWhile(isWanted: (index: number) => boolean): Generator<Uint8Array> {
  for (let index = 0; isWanted(index); index++) yield inputOf(index)
}

const answerOf = (index: number, result: BackendResult): Answer => {
  const { result: outcome } = result.outcome
  if (!outcome.ok) throw new MeshError(outcome.code, outcome.message)
  const value = decodeValue(outcome.value) as unknown as Longest
  // The same source in this process: what the mesh is judged by here, and nobody else would have.
  const right = longest(rangeOf(index))
  return { index, value, isRight: value.number === right.number && value.terms === right.terms, result }
}

/** Calls `done` for each answer as it is released. Throws MeshError if one cannot be had, or `signal` fires. */
export const searchOnMesh = async (
  { backend, functionCid }: Home,
  isWanted: (index: number) => boolean,
  signal: AbortSignal,
  done: (answer: Answer) => void,
): Promise<void> => {
  const options = { verify: 'audit', timeoutMs: TASK_TIMEOUT_MS, remote: false, signal, unordered: true }
  const inputs = inputsOf(inputsWhile(isWanted))
  for await (const items of backend.map({ ...options, function: functionCid, export: EXPORT, inputs })) {
    for (const item of items) {
      if ('error' in item) throw new MeshError(item.error.code, item.error.message)
      done(answerOf(item.index, item.result))
    }
  }
}

const crypto = createCrypto()

/** The task's ID, as receipts and logs name it. */
export const taskIdOf = ({ functionCid, manifest }: Home, index: number): string => {
  const request: CallRequest = {
    ...{ function: ensureCid(functionCid), export: EXPORT, input: inputOf(index), level: { level: 'audit' } },
    ...{ timeoutMs: TASK_TIMEOUT_MS, remote: false, depth: 0 },
  }
  return taskOf(crypto, ENGINES, manifest, request).task.toString()
}
