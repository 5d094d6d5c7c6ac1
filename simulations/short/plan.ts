/** What happens in a short world, drawn from its seed: who is there, what is asked, what breaks. */
import type { Level } from '../../peer/calls.ts'
import type { Random } from '../../protocol/ports.ts'
import { deriveSeed, seededRandom } from '../random.ts'

/** Those from `liar` on give wrong answers. */
const KINDS = [
  ...['honest', 'laggard', 'guest', 'inflator', 'stutterer', 'loser'],
  ...['liar', 'rare', 'sleeper', 'forger', 'poisoner'],
] as const
/** A copier shows what others have computed and signed as its own; an accuser works, and says of others that they lie. */
const WITH_FRIENDS = ['copier', 'accuser'] as const
/** `two-faced` signs two journals of what it asks for. No plan draws it: those who ask are honest there. */
export type Kind = (typeof KINDS)[number] | (typeof WITH_FRIENDS)[number] | 'two-faced'

const LIARS: readonly Kind[] = ['liar', 'rare', 'sleeper', 'forger', 'poisoner', 'copier']

/** Who hears what others compute and sign. */
export const hasFriends = (kind: Kind): boolean => (WITH_FRIENDS as readonly Kind[]).includes(kind)

/** Whose answers may be wrong. */
export const isLiar = (kind: Kind): boolean => LIARS.includes(kind)

/** Who does and says what a peer should, however slow it is. */
export const isHonest = (kind: Kind): boolean => kind === 'guest' || kind === 'honest' || kind === 'laggard'

/** How many of `kinds` lend to peer `by`. A guest lends nothing, nor does the first of all. */
export const lendersTo = (by: number, kinds: readonly Kind[]): number =>
  kinds.filter((kind, i) => i > 0 && i !== by && isHonest(kind) && kind !== 'guest').length

export interface Asked {
  /** From 1 on. */
  number: number
  /** By which peer. */
  by: number
  atMs: number
  level: Level
  timeoutMs: number
  /** Proofs of wrong receipts may be shown. */
  public: boolean
  /** A map of so many tasks; `move` is a function that reads and writes; a durable one waits and pays before it does. */
  what: { map: number } | { move: [from: number, to: number]; durable: boolean }
}

export type Fault =
  /** Killed, with what its disk had not synced, and started again. */
  | { kind: 'kill'; atMs: number; peer: number; forMs: number }
  | { kind: 'leave'; atMs: number; peer: number }
  | { kind: 'suspend'; atMs: number; peer: number; forMs: number }
  | { kind: 'partition'; atMs: number; peer: number; other: number; forMs: number }
  /** Connections are dead, what was on its way is lost, and nobody is told. */
  | { kind: 'lose'; atMs: number; peer: number }
  | { kind: 'skew'; atMs: number; peer: number; aheadMs: number }
  /** What is sent meanwhile takes so much longer. */
  | { kind: 'late'; atMs: number; peer: number; lateMs: number; forMs: number }
  /** The operator puts it out of the mesh. */
  | { kind: 'revoke'; atMs: number; peer: number }
  /** Its writes fail. */
  | { kind: 'disk'; atMs: number; peer: number; forMs: number }

export interface Plan {
  seed: number
  /** Of each peer; the first asks, keeps state and lends nothing. */
  kinds: Kind[]
  latencyMs: number
  /** Of each peer, what a step of a function takes there. */
  stepMs: number[]
  calls: Asked[]
  faults: Fault[]
  /** One that nobody can dial. */
  natted?: number
  /** Nobody is told of others by whom it has met: it must ask. */
  isSecluded: boolean
}

export const REGISTERS = 3
/** Faults are over by then. */
export const FAULTS_END_MS = 9000
/** Long enough for whatever is lost to be found again. */
export const PATIENT_MS = 120_000
const ASKED_WITHIN_MS = 3000
const FOR_MS_MAX = 5000
const SKEW_MS_MAX = 10_000
/** Worlds in which nothing breaks: there more must hold. */
const CALM_ONE_IN = 10

type Below = Random['below']

const pick = <T>(below: Below, from: readonly T[]): T => from[below(from.length)] as T

/** Where so many may be, as many are there, and one of each kind. */
const LARGE_PEERS = 24
/** There each so many peers bring one more call, one more task of a map and one more fault. */
const PEERS_A_CALL = 5

const more = (peers: number): number => (peers < LARGE_PEERS ? 0 : Math.floor(peers / PEERS_A_CALL))

/** One of each kind behind the first two, and others as they come. */
const largeKindsOf = (below: Below, peers: number): Kind[] => {
  const all = [...KINDS, ...WITH_FRIENDS]
  const drawn = (i: number): Kind => (i < 2 || below(2) === 0 ? 'honest' : pick(below, all))
  return Array.from({ length: peers }, (_, i) => all[i - 2] ?? drawn(i))
}

const kindsOf = (below: Below, peers: number): Kind[] => {
  if (peers >= LARGE_PEERS) return largeKindsOf(below, peers)
  const count = 3 + below(Math.max(1, peers - 2))
  const areGood = below(3) === 0
  // Half of the lenders may be anybody, the first one and its neighbour never.
  const drawn = (i: number): Kind => {
    if (i < 2 || areGood || below(2) === 0) return 'honest'
    return below(6) === 0 ? pick(below, WITH_FRIENDS) : (pick(below, KINDS) as Kind)
  }
  return Array.from({ length: count }, (_, i) => drawn(i))
}

const levelOf = (below: Below, kinds: readonly Kind[], isMove: boolean): Level => {
  const lenders = lendersTo(0, kinds)
  const liars = kinds.filter(isLiar).length
  if (isMove) return liars > 1 || lenders < 2 || below(2) === 0 ? { level: 'self' } : { level: 'quorum', n: 2 }
  const level = pick(below, ['none', 'audit', 'self', 'quorum'] as const)
  return level === 'quorum' ? { level, n: 2 + below(2) } : { level }
}

const callOf = (below: Below, kinds: readonly Kind[], number: number): Asked => {
  const isMove = below(3) === 0
  const durable = isMove && below(4) === 0
  const from = below(REGISTERS)
  return {
    number,
    by: isMove || below(3) > 0 ? 0 : 1,
    atMs: below(ASKED_WITHIN_MS),
    level: levelOf(below, kinds, isMove),
    timeoutMs: !durable && below(4) === 0 ? 100 + below(3000) : PATIENT_MS,
    public: below(2) === 0,
    what: isMove
      ? { move: [from, (from + 1 + below(REGISTERS - 1)) % REGISTERS], durable }
      : { map: 1 + below(3 + more(kinds.length)) },
  }
}

const faultOf = (below: Below, peers: number): Fault => {
  const kind = pick(below, ['kill', 'leave', 'suspend', 'partition', 'lose', 'skew', 'late', 'disk', 'revoke'] as const)
  const atMs = below(FAULTS_END_MS - FOR_MS_MAX)
  const forMs = 1 + below(FOR_MS_MAX)
  const peer = below(peers)
  switch (kind) {
    case 'leave':
    case 'revoke':
      // Those who ask stay.
      return peer < 2 ? { kind: 'lose', atMs, peer } : { kind, atMs, peer }
    case 'partition':
      return { kind, atMs, peer, other: (peer + 1 + below(peers - 1)) % peers, forMs }
    case 'lose':
      return { kind, atMs, peer }
    case 'skew':
      return { kind, atMs, peer, aheadMs: below(2 * SKEW_MS_MAX) - SKEW_MS_MAX }
    case 'late':
      return { kind, atMs, peer, lateMs: 1 + below(1000), forMs }
    default:
      return { kind, atMs, peer, forMs }
  }
}

/** One world in eight has somebody behind a NAT, one in eight is secluded. */
const placeOf = (below: Below, peers: number): Pick<Plan, 'natted' | 'isSecluded'> => {
  const place = below(8)
  return { isSecluded: place === 0, ...(place === 1 && { natted: 2 + below(peers - 2) }) }
}

/** `peers`: three at least, and at most so many; of a large world, all of them. */
export const planOf = (seed: number, peers: number): Plan => {
  const { below } = seededRandom(deriveSeed(seed, 'plan'))
  const kinds = kindsOf(below, peers)
  return {
    seed,
    kinds,
    latencyMs: pick(below, [0, 2, 15, 60]),
    stepMs: kinds.map((kind) => (kind === 'laggard' ? 2000 : 1) + below(pick(below, [20, 20, 200]))),
    calls: Array.from({ length: 3 + below(3) + more(peers) }, (_, i) => callOf(below, kinds, i + 1)),
    ...placeOf(below, kinds.length),
    faults:
      below(CALM_ONE_IN) === 0
        ? []
        : Array.from({ length: 1 + below(4) + more(peers) }, () => faultOf(below, kinds.length)),
  }
}
