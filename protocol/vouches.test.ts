import { describe, expect, test } from 'vitest'
import { crypto, type TestPeer, testPeer } from '../scripts/protocol/test-keys.ts'
import { membershipsOf, NOW_MS } from '../scripts/protocol/test-memberships.ts'
import { type Envelope, signBatch } from './envelope.ts'
import { Genesis, type IsRevoked, meshIdOf } from './mesh.ts'
import { vouchesIn } from './vouches.ts'

const operator = testPeer(0)
const [alice, bob, carol] = [testPeer(1), testPeer(2), testPeer(3)]

const genesis: Genesis = {
  ...{ v: 1, name: 'open', operator: operator.id, nonce: new Uint8Array(16) },
  policy: { admission: 'public', independence: 'peer' },
}
const mesh = meshIdOf(crypto, genesis)
const { linkOf, chainOf } = membershipsOf(mesh)
const otherMesh = meshIdOf(crypto, { ...genesis, name: 'away' })

describe('on a public mesh, those who vouch for a peer', () => {
  const NEVER = () => false
  const vouchersIn = async (chain: readonly Envelope[], peer: TestPeer, isRevoked: IsRevoked = NEVER) => {
    const to = { mesh, operator: operator.id, peer: peer.id, nowMs: NOW_MS, isRevoked }
    return (await vouchesIn(crypto, chain, to)).map(({ signer }) => signer)
  }
  const revoked = (of: TestPeer, by: TestPeer) => (peer: string, signer: string) => peer === of.id && signer === by.id

  test('are those who signed for it, or for one of them: one after another, and several for one', async () => {
    expect(await vouchersIn(await chainOf(carol, bob, alice), carol)).toEqual([bob.id, alice.id])
    const both = [await linkOf({ by: alice, of: carol }), await linkOf({ by: bob, of: carol })]
    expect(await vouchersIn(both, carol)).toEqual([alice.id, bob.id])
    expect(await vouchersIn([], carol)).toEqual([])
  })

  test.each<[string, () => Promise<Envelope[]>, TestPeer[]]>([
    ['of another mesh', async () => [await linkOf({ by: bob, of: carol, mesh: otherMesh })], []],
    ['that has expired', async () => [await linkOf({ by: bob, of: carol, expiresMs: NOW_MS })], []],
    ['for somebody else', () => chainOf(alice, bob), []],
    ['that the peer signed itself', async () => [await linkOf({ by: carol, of: carol })], []],
    ['by the operator of the mesh, who stands above all', () => chainOf(carol, operator), []],
    ['in a loop', () => chainOf(carol, bob, alice, bob), [bob, alice]],
    ['that comes back to the peer', () => chainOf(carol, bob, carol), [bob]],
    ['said twice', async () => [...(await chainOf(carol, bob)), ...(await chainOf(carol, bob))], [bob]],
    [
      'behind one that has expired',
      async () => [await linkOf({ by: bob, of: carol, expiresMs: NOW_MS }), await linkOf({ by: alice, of: bob })],
      [],
    ],
  ])('one %s is passed over', async (_name, chain, vouchers) => {
    expect(await vouchersIn(await chain(), carol)).toEqual(vouchers.map(({ id }) => id))
  })

  test('count no more once they withdraw it, or the operator has put them out', async () => {
    const chain = await chainOf(carol, bob, alice)
    expect(await vouchersIn(chain, carol, revoked(carol, bob))).toEqual([])
    expect(await vouchersIn(chain, carol, revoked(bob, alice))).toEqual([bob.id])
    expect(await vouchersIn(chain, carol, revoked(bob, operator))).toEqual([])
    expect(await vouchersIn(chain, carol, revoked(carol, alice))).toEqual([bob.id, alice.id])
  })

  test('are eight at most, and no more signatures are checked', async () => {
    let verified = 0
    const counting = { ...crypto, verify: () => ++verified > 0 }
    const many = await chainOf(...Array.from({ length: 12 }, (_, i) => testPeer(10 + i)))
    const to = { mesh, operator: operator.id, peer: testPeer(10).id, nowMs: NOW_MS, isRevoked: NEVER }
    expect(await vouchesIn(counting, many, to)).toHaveLength(8)
    expect(verified).toBe(8)
  })

  test('are not made up: a forged one, or what is no membership, is refused', async () => {
    const [byBob] = (await chainOf(carol, bob)) as [Envelope]
    await expect(vouchersIn([{ ...byBob, signer: alice.id }], carol)).rejects.toMatchObject({ code: 'E_SIGNATURE' })
    const other = await signBatch(crypto, bob.signer, bob.id, 'membership', [Genesis.encode(genesis)])
    await expect(vouchersIn(other, carol)).rejects.toMatchObject({ code: 'E_MESSAGE' })
  })
})
