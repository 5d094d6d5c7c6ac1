import { expect, test } from 'vitest'
import type { JournalEntry } from '../protocol/journal.ts'
import { ATTEMPTS_MAX } from '../protocol/limits.ts'
import type { Item } from './calls.ts'
import type { Attempt, AttemptResult } from './dispatcher.ts'
import type { Home } from './home.ts'
import type { Neighbour } from './neighbours.ts'
import { Pursuit, shunMs } from './pursuit.ts'

const DIVERGED: AttemptResult = { kind: 'failed', code: 'E_REPLAY_DIVERGED', message: 'request 0 is another one' }

const LOST: AttemptResult = { kind: 'failed', code: 'E_EXECUTOR_LOST', message: 'it left' }

/** One attempt after another at the peers named, each a new link; `adds`: entries that each brings to the journal. */
const pursue = async (peers: readonly string[], result = DIVERGED, adds: (attempt: number) => number = () => 0) => {
  // A divergence cuts the journal, and it may be asked again.
  const home = { startOver: () => true } as Home
  const events = { wait() {}, cancel() {}, ended() {} }
  const item = { journal: [] as JournalEntry[] } as Item
  const pursuit = new Pursuit(item, home, { exclude: new Set() }, events, 0)
  const ends: string[] = []
  pursuit.result.catch(({ code }) => ends.push(code))
  for (const [i, peer] of peers.entries()) {
    const neighbour = { peer, heardMs: 0 } as Neighbour
    if (!pursuit.mayAsk(neighbour)) throw new Error(`${peer} may not be asked`)
    const answered = { entry: 'answer', n: 0, answer: { ok: true, value: new Uint8Array(0) } } as const
    for (let added = 0; added < adds(i); added++) item.journal.push(answered)
    pursuit.launched({ neighbour, heardMs: 0, result: Promise.resolve(result) } as Attempt, false)
    await Promise.resolve()
    await Promise.resolve()
  }
  return ends
}
const inTurn = (count: number) => Array.from({ length: count }, (_, i) => 'AB'[i % 2] as string)

test('one executor that diverges again and again is one word, and not enough to give up', async () => {
  expect(await pursue(['A', 'A', 'A', 'B', 'A'])).toEqual([])
})

test('three that diverge are enough', async () => {
  expect(await pursue(['A', 'B', 'A', 'C'])).toEqual(['E_REPLAY_DIVERGED'])
})

test('one that loses sixteen executors and gets nowhere is given up', async () => {
  expect(await pursue(inTurn(15), LOST)).toEqual([])
  expect(await pursue(inTurn(16), LOST)).toEqual(['E_EXECUTOR_LOST'])
})

test('one that gets further now and then is not, however many it loses', async () => {
  expect(await pursue(inTurn(100), LOST, (i) => Number(i % 15 === 0))).toEqual([])
  expect(await pursue(inTurn(50 + 15), LOST, (i) => Number(i < 50))).toEqual([])
  expect(await pursue(inTurn(50 + 16), LOST, (i) => Number(i < 50))).toEqual(['E_EXECUTOR_LOST'])
})

test('after a thousand attempts it is given up, however far it comes', async () => {
  expect(await pursue(inTurn(ATTEMPTS_MAX - 1), LOST, () => 1)).toEqual([])
  expect(await pursue(inTurn(ATTEMPTS_MAX), LOST, () => 1)).toEqual(['E_EXECUTOR_LOST'])
})

test.each([
  ['was heard a moment ago', 100, 'E_EXECUTOR_LOST', 1000],
  ['has been silent for six seconds', 6000, 'E_EXECUTOR_LOST', 6000],
  ['pauses', 6000, 'E_PAUSED', 1000],
] as const)('one that %s is left alone for so long', (_, silentMs, code, ms) => {
  expect(shunMs({ inFlight: 0 }, code, silentMs)).toBe(ms)
})
