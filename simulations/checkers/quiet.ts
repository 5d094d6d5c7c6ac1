/** What must hold of real peers once nobody waits for anything, whatever they did before. */
import type { WorldPeer } from '../world.ts'
import type { Book } from './usage.ts'

/** In which runs that nobody waits for end, and any two settle what one has done for the other. */
export const QUIET_MS = 15_000

/** What a peer has that should be over: items that it runs, and items that it counts as under way at others. */
export interface LeftOver {
  peer: number
  running: number
  inFlight: number
}

type There = Pick<WorldPeer, 'peer' | 'peerId'>

export const leftAt = ({ peer }: Pick<WorldPeer, 'peer'>): Omit<LeftOver, 'peer'> => {
  const { running, neighbours } = peer.status()
  return { running: running.length, inFlight: neighbours.reduce((sum, one) => sum + one.in_flight, 0) }
}

/** A sentence for each peer and each kind of thing that is left over there. */
export const checkLeft = (left: readonly LeftOver[]): string[] =>
  left.flatMap(({ peer, running, inFlight }) => [
    ...(running > 0 ? [`peer ${peer} still runs ${running} tasks, and nobody waits for any`] : []),
    ...(inFlight > 0 ? [`peer ${peer} still counts ${inFlight} tasks as under way, and waits for none`] : []),
  ])

/** What any two of `there` have agreed that one did for the other. */
export const booksOf = (there: readonly There[]): Book[] => {
  const names = new Set(there.map(({ peerId }) => peerId))
  return there.flatMap(({ peer, peerId }) =>
    (peer.status().usage ?? []).flatMap(({ peer: other, lent, used }) =>
      names.has(other) ? [{ peer: peerId, other, lent, used }] : [],
    ),
  )
}
