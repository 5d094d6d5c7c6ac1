/** What a fifth in collusion gets through that always comes back as somebody else: by who answers for it, and how much of its work it lies on. */
import { HONEST_ERROR_RATE } from '../peer/trust.ts'
import type { PublicMesh } from './answering.ts'
import { deriveSeed } from './random.ts'
import { type Tally, type Trial, talliesOf } from './verification.ts'

/** Parts of all tasks. */
export const LIE_RATES = { all: 1, tenth: 0.1, hundredth: 0.01 } as const
export type LieRate = keyof typeof LIE_RATES

/** Honest newcomers of a public mesh come by twenty machines, and stay for so long; one in ten finds nobody who vouches for it. */
const open = (colluders: PublicMesh['colluders'], vouched = 0.9): Partial<Trial> => ({
  open: { machines: 20, lifeReceipts: 1000, vouched, colluders },
})

const KNOWING: Partial<Trial> = { knowsVerifications: true }

/** Who answers for colluders; on a public mesh, who vouches for whom (`answering.ts`). */
const WAYS = {
  nobody: {},
  founder: { letInBy: 'founder' },
  member: { letInBy: 'member' },
  // They know when they verify.
  nobody_knowing: KNOWING,
  founder_knowing: { ...KNOWING, letInBy: 'founder' },
  member_knowing: { ...KNOWING, letInBy: 'member' },
  public_unvouched: open('strangers', 0),
  public: open('strangers'),
  public_own_operator: open('operator'),
  public_ring: open('ring'),
  public_bought: open('bought'),
} as const satisfies Record<string, Partial<Trial>>
export type Way = keyof typeof WAYS

export interface ReEntry {
  way: Way
  lies: LieRate
  /** After so many results a peer as `lengths` says. */
  tallies: readonly Tally[]
}

/** `lengths`: results a peer, ascending. */
export const runReEntry = (seed: number, peers: number, lengths: readonly number[]): ReEntry[] =>
  (Object.keys(WAYS) as Way[]).flatMap((way) => {
    const changes: Partial<Trial> = WAYS[way]
    const rates = Object.keys(LIE_RATES) as LieRate[]
    return (changes.knowsVerifications ? rates.slice(0, 1) : rates).map((lies) => {
      const trial: Omit<Trial, 'tasks'> = {
        ...{ seed: deriveSeed(seed, `${way} ${lies}`), peers, level: 'audit', errorRate: HONEST_ERROR_RATE },
        ...{ colluders: Math.max(1, Math.floor(peers / 5)), lieRate: LIE_RATES[lies], reenters: true },
        ...changes,
      }
      const tasks = lengths.map((length) => length * peers)
      return { way, lies, tallies: talliesOf(trial, tasks) }
    })
  })
