import { expect, test } from 'vitest'
import type { Item } from './calls.ts'
import type { Attempt, AttemptResult } from './dispatcher.ts'
import type { Home } from './home.ts'
import type { Neighbour } from './neighbours.ts'
import { Pursuit } from './pursuit.ts'

const DIVERGED: AttemptResult = { kind: 'failed', code: 'E_REPLAY_DIVERGED', message: 'request 0 is another one' }

/** A pursuit whose journal is cut by each divergence, and one attempt after another at the peers named. */
const pursue = async (peers: readonly string[]) => {
  const home = { startOver: () => true } as Home
  const events = { wait() {}, cancel() {}, ended() {} }
  const pursuit = new Pursuit({} as Item, home, { exclude: new Set() }, events, 0)
  const ends: string[] = []
  pursuit.result.catch(({ code }) => ends.push(code))
  for (const peer of peers) {
    const neighbour = { peer, heardMs: 0 } as Neighbour
    if (!pursuit.mayAsk(neighbour)) throw new Error(`${peer} may not be asked`)
    pursuit.launched({ neighbour, heardMs: 0, result: Promise.resolve(DIVERGED) } as Attempt, false)
    await new Promise(setImmediate)
  }
  return ends
}

test('one executor that diverges again and again is one word, and not enough to give up', async () => {
  expect(await pursue(['A', 'A', 'A', 'B', 'A'])).toEqual([])
})

test('three that diverge are enough', async () => {
  expect(await pursue(['A', 'B', 'A', 'C'])).toEqual(['E_REPLAY_DIVERGED'])
})
