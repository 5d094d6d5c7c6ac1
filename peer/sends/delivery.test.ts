import { expect, test } from 'vitest'
import { afterAnswer, afterFailure } from './delivery.ts'

const DAY_MS = 24 * 60 * 60_000
const again = { kind: 'again' }
const failed = { kind: 'failed', reason: expect.any(String) }

test('an answer ends it, unless the server says that it may be asked later, and that is granted', () => {
  for (const status of [200, 202, 204, 304]) {
    expect(afterAnswer(status, 'fail', 0)).toEqual({ kind: 'delivered' })
    expect(afterAnswer(status, 'retry', 2 * DAY_MS)).toEqual({ kind: 'delivered' })
  }
  for (const status of [400, 401, 404, 409, 500, 501]) expect(afterAnswer(status, 'retry', 0)).toEqual(failed)
  for (const status of [429, 502, 503, 504]) {
    expect(afterAnswer(status, 'retry', DAY_MS - 1)).toEqual(again)
    expect(afterAnswer(status, 'retry', DAY_MS)).toEqual(failed)
    expect(afterAnswer(status, 'fail', 0)).toEqual(failed)
  }
})

test('what was not sent is, for a day; what may have been performed only where that is granted', () => {
  const unsent = { code: 'E_FETCH' as const, message: 'no connection' }
  const unknown = { code: 'E_EFFECT_OUTCOME_UNKNOWN' as const, message: 'lost' }
  for (const onUnknown of ['retry', 'fail'] as const) {
    expect(afterFailure(unsent, onUnknown, DAY_MS - 1)).toEqual(again)
    expect(afterFailure(unsent, onUnknown, DAY_MS)).toEqual({ kind: 'failed', reason: 'no connection' })
  }
  expect(afterFailure(unknown, 'retry', 0)).toEqual(again)
  expect(afterFailure(unknown, 'fail', 0)).toEqual({ kind: 'failed', reason: 'lost' })
  expect(afterFailure({ code: 'E_GRANT', message: 'no' }, 'retry', 0)).toEqual(failed)
})
