import { expect, test } from 'vitest'
import { MeshError } from '../protocol/errors.ts'
import { worldFor } from '../scripts/test/world.ts'
import { chooseMesh, type Dial } from './joining.ts'

test('who is on a public mesh already takes the vouch of one more inviter, once, and goes on without if that is away', async () => {
  const world = await worldFor('vouches', { peers: 3, policy: { admission: 'public' } })
  const [, one, other] = world.peers
  const born = world.machine()
  await born.ports.network.start()
  let dials = 0
  const dial: Dial = (use) => {
    dials++
    return use(born.ports)
  }
  const wanted = { data: '', self: born.peerId, kept: undefined, own: false, name: '', join: [one!.address] }
  let kept = await world.until(chooseMesh(born.ports, wanted, dial))
  expect(kept.chain).toEqual([])
  const joining = async (join: string[], by = dial) => {
    kept = await world.until(chooseMesh(born.ports, { ...wanted, kept, join }, by))
    return kept.chain.map(({ signer }) => signer)
  }
  const tickets = [await one!.peer.invite(60_000), await other!.peer.invite(60_000)]
  expect(await joining([tickets[0]!])).toEqual([one!.peerId])
  const away: Dial = () => Promise.reject(new MeshError('E_UNREACHABLE', 'nobody is there'))
  expect(await joining([tickets[1]!], away)).toEqual([one!.peerId])
  expect(await joining([tickets[1]!])).toEqual([other!.peerId, one!.peerId])
  expect(await joining(tickets)).toHaveLength(2)
  expect(dials).toBe(3)
  expect(kept.addresses).toContain(one!.address)
})
