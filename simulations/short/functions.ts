/** What the peers of a short world run: one function that computes, and one that reads and writes registers. */
import type { EffectKind } from '../../protocol/effects.ts'
import type { Value } from '../../protocol/values.ts'
import type { FunctionBundle } from '../../registry/functions.ts'
import { MODEL_FUNCTION, modelResult } from '../cost-model.ts'
import type { Program, Programs, Requested } from '../programs.ts'

const DB = 'DB'
export const NAMESPACE = 'registers'
export const REGISTER_PREFIX = 'register/'
/** Under it stands, by the number of a move, how many times it was made. */
export const DONE_PREFIX = 'done/'

export const GRANTS = { [DB]: { state: NAMESPACE } }

/** Of whoever moved: by which write each register was as it read it; 0: by none. */
export type Moved = { read: [key: string, by: number][] }

const get = (key: string): Requested => ({ kind: 'get', arguments: { binding: DB, key } })
const put = (key: string, value: Value): Requested => ({ kind: 'put', arguments: { binding: DB, key, value } })

/** A register holds the number of the write that it was last written by: twice that of the move, or one more. */
const move: Program = function* (input) {
  const [number, from, to] = input as [number, number, number]
  const keys = [`${REGISTER_PREFIX}${from}`, `${REGISTER_PREFIX}${to}`] as const
  const [a, b] = [yield get(keys[0]), yield get(keys[1])]
  const times = yield get(`${DONE_PREFIX}${number}`)
  yield put(keys[0], 2 * number)
  yield put(keys[1], 2 * number + 1)
  yield put(`${DONE_PREFIX}${number}`, ((times as number | null) ?? 0) + 1)
  return {
    read: [
      [keys[0], a ?? 0],
      [keys[1], b ?? 0],
    ],
  }
}

// biome-ignore lint/correctness/useYield: it requests nothing.
const compute: Program = function* (input) {
  return modelResult((input as { id: number }).id)
}

export const PROGRAMS: Programs = { default: compute, move }

export const COMPUTE: FunctionBundle = MODEL_FUNCTION

export const MOVE: FunctionBundle = {
  ...MODEL_FUNCTION,
  name: 'move',
  exports: ['move'],
  effects: ['get', 'put'] as EffectKind[],
  env: [{ name: DB, kind: 'state' }],
}
