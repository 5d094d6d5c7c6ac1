/** Whether one peer may verify another: how much they must have apart, by the policy of their mesh. Pure. */
import type { Genesis } from '../protocol/mesh.ts'

export type IndependenceFloor = Genesis['policy']['independence']

/** What is known of where a peer comes from. */
export interface Whereabouts {
  readonly peer: string
  /** Who signed its membership; undefined: not known. */
  readonly inviter: string | undefined
  /** Multiaddrs, as it advertises them. */
  readonly addresses: readonly string[]
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
  return a.inviter === b.inviter || a.inviter === b.peer || b.inviter === a.peer
}

/** `operator`: another inviter and another network; `peer`: another PeerId. */
export const areIndependent = (floor: IndependenceFloor, a: Whereabouts, b: Whereabouts): boolean => {
  if (a.peer === b.peer) return false
  return floor === 'peer' || (!shareInviter(a, b) && !shareNetwork(a, b))
}

/** How many of them are independent of each other, taken in their order. */
export const countIndependent = (floor: IndependenceFloor, all: readonly Whereabouts[]): number => {
  const taken: Whereabouts[] = []
  for (const one of all) if (taken.every((other) => areIndependent(floor, one, other))) taken.push(one)
  return taken.length
}
