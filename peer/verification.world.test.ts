/** What a result says of how it was checked, and that verifiers are the more independent of those there are. */
import { expect, test } from 'vitest'
import { fileOf, proofOf } from '../scripts/test/receipt-files.ts'
import { joinBy, publish, requestOf, returned, worldFor } from '../scripts/test/world.ts'
import { lyingHost } from '../simulations/adversaries.ts'
import type { PeerSetup, WorldPeer } from '../simulations/world.ts'
import { DOUBLE } from './attacked-host.ts'
import { ensureLevel } from './calls.ts'

const NOBODY = { independence: 'none', verifiers: 0 } as const

/** The founder calls and lends nothing. */
const callerAnd = async (name: string, ...setups: PeerSetup[]) => {
  const setup = (i: number) => setups[i - 1] ?? { policy: { slots: 0 } }
  const world = await worldFor(name, { peers: 1 + setups.length, setup })
  const [caller] = world.peers as [WorldPeer]
  const double = await publish(caller, DOUBLE)
  const call = (input: number, level: string, changes = {}) =>
    world.until(caller.peer.call(requestOf(double, input, { level: ensureLevel(level), ...changes })))
  return { world, caller, call }
}

test.each<[string, string, object, object[]]>([
  ['none', 'none', { by: 'none', ...NOBODY }, [{}, {}]],
  ['audit, on probation', 'audit', { by: 'audit', independence: 'peer', verifiers: 1 }, [{}, {}]],
  ['audit, with nobody who may verify', 'audit', { by: 'self', independence: 'none', verifiers: 1 }, [{}]],
  ['self', 'self', { by: 'self', independence: 'none', verifiers: 1 }, [{}, {}]],
  ['quorum', 'quorum:3', { by: 'quorum', independence: 'peer', verifiers: 2 }, [{}, {}, {}]],
  ['self, with a liar', 'self', { by: 'self', ...NOBODY }, [{ sandboxHost: lyingHost }]],
])('%s', async (name, level, verification, setups) => {
  const { world, call } = await callerAnd(name, ...setups)
  const result = await call(21, level, { fresh: true })
  expect(returned(result)).toBe(42)
  expect(result.verification).toEqual(verification)
  const file = await fileOf(world, result)
  expect(file.verification).toEqual([{ ...verification, executions: result.executions }])
  for (const dispute of result.disputes) expect((await proofOf(world, dispute)).verification).toEqual([])
})

test('in the sandbox here, since no peer was in reach; and again from the memo', async () => {
  const { call } = await callerAnd('here')
  expect((await call(1, 'audit', { remote: false })).verification).toEqual({ by: 'self', ...NOBODY })
  expect((await call(1, 'audit', { remote: false })).verification).toEqual({ by: 'memo', ...NOBODY })
})

test('once a probation is over most answers are checked by nobody, and say so', async () => {
  const { call } = await callerAnd('most', {}, {}, {})
  const found = new Map<string, number>()
  for (let i = 0; i < 250; i++) {
    const { by } = (await call(i, 'audit')).verification
    found.set(by, (found.get(by) ?? 0) + 1)
  }
  expect([...found.keys()].sort()).toEqual(['audit', 'none'])
  expect(found.get('none')).toBeGreaterThan(50)
})

test('of those who may verify, the more independent are asked first, if they are half', async () => {
  const { world, caller, call } = await callerAnd('independent first', {}, {})
  const host = await joinBy(world, caller, { policy: { slots: 0 } })
  const far = await joinBy(world, host)
  for (let i = 0; i < 30; i++) {
    const result = await call(i, 'quorum:2')
    expect(result.performed.map(({ executor }) => executor)).toContain(far.peerId)
    expect(result.verification).toEqual({ by: 'quorum', independence: 'inviter', verifiers: 1 })
  }
})

test('where they are fewer than half, they are drawn like the others', async () => {
  const { world, caller, call } = await callerAnd('few', {}, {}, {}, {}, {})
  const host = await joinBy(world, caller, { policy: { slots: 0 } })
  await joinBy(world, host)
  const found = new Set<string>()
  for (let i = 0; i < 60; i++) found.add((await call(i, 'quorum:2')).verification.independence)
  expect(found).toEqual(new Set(['peer', 'inviter']))
})
