/** Functions whose namespace moves: they read, and write nothing; what was under way when it began changes nothing. */
import { expect, test } from 'vitest'
import { publish, requestOf, returned, worldFor } from '../../scripts/test/world.ts'
import type { WorldPeer } from '../../simulations/world.ts'
import { ensureLevel } from '../calls.ts'

const COUNT = `
  export default async (ms, { DB }) => {
    const n = ((await DB.get('n')) ?? 0) + 1
    if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms))
    await DB.put('n', n)
    return n
  }
  export const look = async (x, { DB }) => DB.get('n')
`

test.each(['self', 'quorum:2'])('at %s', async (level) => {
  const world = await worldFor(`moving ${level}`, { peers: 3 })
  const home = world.peers[0] as WorldPeer
  const env = [{ name: 'DB', kind: 'state' as const }]
  const fn = await publish(home, COUNT, { exports: ['default', 'look'], effects: ['get', 'put', 'sleep'], env })
  const grants = { DB: { state: 'shop' } }
  const call = (input: number, name = 'default') =>
    home.peer.call(requestOf(fn, input, { level: ensureLevel(level), remote: false, grants, export: name }))
  const look = async () => returned(await world.until(call(0, 'look')))
  const moving = { code: 'E_STATE_MOVING', message: expect.stringContaining('attic') }

  expect(returned(await world.until(call(0)))).toBe(1)
  const underWay = call(500)
  underWay.catch(() => {})
  await world.clock.advance(100)
  await home.peer.state.move('shop', { step: 'leave', where: 'attic' })
  await expect(world.until(underWay)).rejects.toMatchObject(moving)
  await expect(world.until(call(0))).rejects.toMatchObject(moving)
  expect(await look()).toBe(1)
  await home.peer.state.move('shop', { step: 'stay' })
  expect(returned(await world.until(call(0)))).toBe(2)
  await home.peer.state.move('shop', { step: 'leave', where: 'attic' })
  await home.peer.state.move('shop', { step: 'left' })
  await expect(look()).rejects.toThrow(/has moved to attic: ask there/)
  await expect(world.until(call(0))).resolves.toMatchObject({ outcome: { result: { ok: false } } })
})
