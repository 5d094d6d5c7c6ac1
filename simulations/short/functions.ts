/** What the peers of a short world run: one function that computes, and one that reads and writes registers. */
import type { EffectKind } from '../../protocol/effects.ts'
import type { Value } from '../../protocol/values.ts'
import type { FunctionBundle } from '../../registry/functions.ts'
import { MODEL_FUNCTION, modelResult } from '../cost-model.ts'
import type { Program, Programs, Requested } from '../programs.ts'
import { PAID_AT } from './till.ts'

/** How long an errand waits, each time, ms. */
const ERRAND_WAITS_MS = 300

const DB = 'DB'
const PAY = 'PAY'
export const NAMESPACE = 'registers'
export const REGISTER_PREFIX = 'register/'
/** Under it stands, by the number of a move, how many times it was made. */
export const DONE_PREFIX = 'done/'

const STATE_GRANT = { state: NAMESPACE }
export const MOVE_GRANTS = { [DB]: STATE_GRANT }
export const ERRAND_GRANTS = {
  [DB]: STATE_GRANT,
  [PAY]: { fetch: [PAID_AT], methods: ['POST'], onUnknown: 'retry' as const },
}

/** Of whoever moved: by which write each register was as it read it; 0: by none. Of an errand: was its payment answered? */
export type Moved = { read: [key: string, by: number][]; isPaid?: boolean }

const WAIT: Requested = { kind: 'sleep', arguments: { ms: ERRAND_WAITS_MS } }
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

/** Waits, pays, waits again, and moves: three steps. */
const errand: Program = function* (input) {
  const [number] = input as [number, number, number]
  yield WAIT
  const body = new TextEncoder().encode(`${number}`)
  const request = { binding: PAY, url: `${PAID_AT}/`, method: 'POST', headers: [], body }
  const isPaid = (yield { kind: 'fetch', arguments: request }) !== null
  yield WAIT
  return { ...((yield* move(input)) as Moved), isPaid }
}

// biome-ignore lint/correctness/useYield: it requests nothing.
const compute: Program = function* (input) {
  return modelResult((input as { id: number }).id)
}

export const PROGRAMS: Programs = { default: compute, move, errand }

export const COMPUTE: FunctionBundle = MODEL_FUNCTION

export const MOVE: FunctionBundle = {
  ...MODEL_FUNCTION,
  name: 'move',
  exports: ['move'],
  effects: ['get', 'put'] as EffectKind[],
  env: [{ name: DB, kind: 'state' }],
}

export const ERRAND: FunctionBundle = {
  ...MODEL_FUNCTION,
  name: 'errand',
  exports: ['errand'],
  effects: ['fetch', 'get', 'put', 'sleep'] as EffectKind[],
  env: [
    { name: DB, kind: 'state' },
    { name: PAY, kind: 'fetch' },
  ],
}
