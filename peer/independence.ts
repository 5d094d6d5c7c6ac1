/** Whether one peer may verify another: how much they must have apart, by the policy of their mesh. Pure. */
import type { Genesis } from '../protocol/mesh.ts'
import { INDEPENDENCE } from '../protocol/records.ts'

export type IndependenceFloor = Genesis['policy']['independence']
export type Independence = (typeof INDEPENDENCE)[number]

/** What is known of where a peer comes from. */
export interface Whereabouts {
  readonly peer: string
  /** Whose machine it is: named by the first of them, itself if it is the only one. */
  readonly owner: string
  /** The owner who let that one in; undefined: not known. */
  readonly inviter: string | undefined
  /** Multiaddrs, as it advertises them. */
  readonly addresses: readonly string[]
  /** It has signed a wrong outcome that another peer has signed, too. */
  readonly liedAlike: boolean
}

const IP4 = /^\/ip4\/(\d+\.\d+\.\d+)\.\d+(?:\/|$)/
const IP6 = /^\/ip6\/([0-9a-f:.]+)(?:\/|$)/i
/** Groups of an IPv6 address that name its /48. */
const GROUPS_48 = 3

const network6 = (text: string): string => {
  const [head = '', tail] = text.toLowerCase().split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail ? tail.split(':') : []
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length
  const groups = [...before, ...Array<string>(Math.max(0, zeros)).fill('0'), ...after]
  return groups
    .slice(0, GROUPS_48)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')
}

/** The /24 or /48 of a multiaddr; undefined if it names none, or that of a relay. */
export const networkOf = (address: string): string | undefined => {
  if (address.includes('/p2p-circuit')) return undefined
  const [, four] = IP4.exec(address) ?? []
  if (four !== undefined) return four
  const [, six] = IP6.exec(address) ?? []
  return six === undefined ? undefined : network6(six)
}

const networksOf = ({ addresses }: Whereabouts): string[] => addresses.flatMap((address) => networkOf(address) ?? [])

/** What is not known of either counts as the same. */
const shareNetwork = (a: Whereabouts, b: Whereabouts): boolean => {
  const [ofA, ofB] = [networksOf(a), networksOf(b)]
  return ofA.length === 0 || ofB.length === 0 || ofA.some((network) => ofB.includes(network))
}

/** Were they let in by one peer, or one by the other? */
const shareInviter = (a: Whereabouts, b: Whereabouts): boolean => {
  if (a.inviter === undefined || b.inviter === undefined) return true
  return a.inviter === b.inviter || a.inviter === b.owner || b.inviter === a.owner
}

/**
 * How much two peers have apart: `none`, one is the other, or both have told a lie that others told as well: whether they collude
 * or have one faulty engine, they confirm each other; `owner`, machines of one owner; `peer`, of two; `network`,
 * and of two networks; `inviter`, of one network and let in by different owners; `operator`, both.
 */
export const independenceOf = (a: Whereabouts, b: Whereabouts): Independence => {
  if (a.peer === b.peer || (a.liedAlike && b.liedAlike)) return 'none'
  if (a.owner === b.owner) return 'owner'
  const isElsewhere = !shareNetwork(a, b)
  if (shareInviter(a, b)) return isElsewhere ? 'network' : 'peer'
  return isElsewhere ? 'operator' : 'inviter'
}

/** Of `one` with each of the others, the least; of nobody, as good as there is. The greater, the more apart. */
export const rankAgainst = (one: Whereabouts, others: readonly Whereabouts[]): number => {
  let least: number = INDEPENDENCE.length
  for (const other of others) least = Math.min(least, INDEPENDENCE.indexOf(independenceOf(one, other)))
  return least
}

const LEAST: Readonly<Record<IndependenceFloor, number>> = {
  operator: INDEPENDENCE.indexOf('operator'),
  peer: INDEPENDENCE.indexOf('owner'),
}

/** `operator`: another owner and inviter, and another network; `peer`: another PeerId. */
export const areIndependent = (floor: IndependenceFloor, a: Whereabouts, b: Whereabouts): boolean =>
  INDEPENDENCE.indexOf(independenceOf(a, b)) >= LEAST[floor]

/** The least that any two of them have apart; `none` of fewer than two. */
export const leastIndependence = (all: readonly Whereabouts[]): Independence => {
  let least: number = INDEPENDENCE.length
  for (const [i, one] of all.entries()) least = Math.min(least, rankAgainst(one, all.slice(i + 1)))
  return INDEPENDENCE[least] ?? 'none'
}

/**
 * The more independent half of `drawn` first, in the order of the draw, and then the rest. Never fewer than half: whoever
 * makes few candidates stand out, by what they say of their addresses or it says of its own, makes each at most twice as
 * likely to be drawn.
 */
export const independentFirst = <T>(drawn: readonly T[], rankOf: (one: T) => number): readonly T[] => {
  const ranks = drawn.map(rankOf)
  const median = ranks.toSorted((a, b) => b - a)[Math.ceil(ranks.length / 2) - 1] ?? 0
  const isFirst = (_: T, i: number) => (ranks[i] as number) >= median
  return [...drawn.filter(isFirst), ...drawn.filter((one, i) => !isFirst(one, i))]
}

/** How many of them are independent of each other, taken in their order. */
export const countIndependent = (floor: IndependenceFloor, all: readonly Whereabouts[]): number => {
  const taken: Whereabouts[] = []
  for (const one of all) if (taken.every((other) => areIndependent(floor, one, other))) taken.push(one)
  return taken.length
}
