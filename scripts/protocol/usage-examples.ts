/** Tallies, and what users and workers say to each other: what the vectors hold of them. */
import { type Envelope, signBatch } from '../../protocol/envelope.ts'
import { Tally, type UsageFrame } from '../../protocol/tally.ts'
import { alice, bob, mesh } from './examples.ts'
import { crypto } from './test-keys.ts'

const tally: Tally = {
  ...{ v: 1, mesh, worker: bob.id, user: alice.id, sequence: 3 },
  ...{ fuel: 12_000_000_000, gib_fuel: 750_000_000, bytes: 65_536 },
}
const most = Number.MAX_SAFE_INTEGER
export const tallyExamples: Tally[] = [tally, { ...tally, sequence: 1, fuel: most, gib_fuel: most, bytes: most }]

const signedBy = async ({ signer, id }: typeof alice): Promise<Envelope> =>
  (
    await signBatch(
      crypto,
      signer,
      id,
      'tally',
      tallyExamples.map((one) => Tally.encode(one)),
    )
  )[0] as Envelope

const by_user = await signedBy(alice)
export const usageFrameExamples: UsageFrame[] = [
  { t: 'owes', by_user },
  { t: 'stands', by_user, by_worker: await signedBy(bob) },
]
