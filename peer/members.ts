/** The members that this peer has met: who admitted each, and when it was last here. Kept in storage, within a bound. */
import { decodeCanonical, encodeCanonical } from '../protocol/codec.ts'
import type { Ports } from '../protocol/ports.ts'

/** Some 2 MB at most: of each a line of nine PeerIds and four addresses. The one longest not seen is forgotten first. */
export const MEMBERS_MAX = 1024
const PREFIX = 'member/'

export interface MemberSeen {
  peer: string
  /** Whose machine it is, by the first of them. */
  owner: string
  /** Itself, who admitted it, and so on up to the operator. */
  line: string[]
  /** Instant from which its membership does not hold; null: it has none, and needs none. */
  until_ms: number | null
  /** Instant at which it last came. */
  seen_ms: number
  /** Where it last said that it is. */
  addresses: string[]
}

/** Of those a machine says; the first are the ones it listens on itself. */
const ADDRESSES_KEPT_MAX = 4

/** As an instant is told where there may be none. */
export const finiteOrNull = (ms: number): number | null => (Number.isFinite(ms) ? ms : null)

/** Has the peer of this storage ever met a member? */
export const hasMetMembers = async (storage: Pick<Ports['storage'], 'scan'>): Promise<boolean> => {
  for await (const _ of storage.scan(PREFIX)) return true
  return false
}

export class Members {
  readonly #ports: Pick<Ports, 'storage' | 'log'>
  /** The one longest not seen first. */
  readonly #byPeer = new Map<string, MemberSeen>()

  constructor(ports: Pick<Ports, 'storage' | 'log'>) {
    this.#ports = ports
  }

  async load(): Promise<void> {
    const kept: MemberSeen[] = []
    for await (const { value } of this.#ports.storage.scan(PREFIX)) kept.push(decodeCanonical(value) as MemberSeen)
    for (const one of kept.sort((a, b) => a.seen_ms - b.seen_ms)) this.#byPeer.set(one.peer, one)
  }

  get(peer: string): MemberSeen | undefined {
    return this.#byPeer.get(peer)
  }

  /** The one seen last first. */
  all(): MemberSeen[] {
    return [...this.#byPeer.values()].reverse()
  }

  /** It came, and has shown that it belongs here. */
  saw(seen: Omit<MemberSeen, 'addresses'>): void {
    this.#keep({ ...seen, addresses: this.#byPeer.get(seen.peer)?.addresses ?? [] })
  }

  /** It says where it can be found. */
  isAt(peer: string, addresses: readonly string[]): void {
    const kept = addresses.slice(0, ADDRESSES_KEPT_MAX)
    const member = this.#byPeer.get(peer)
    if (member && kept.join() !== member.addresses.join()) this.#keep({ ...member, addresses: kept })
  }

  #keep(member: MemberSeen): void {
    const { peer } = member
    this.#byPeer.delete(peer)
    this.#byPeer.set(peer, member)
    const [oldest] = this.#byPeer.keys()
    const isOver = this.#byPeer.size > MEMBERS_MAX
    if (isOver) this.#byPeer.delete(oldest as string)
    const forgotten = isOver ? [{ key: `${PREFIX}${oldest}`, delete: true as const }] : []
    this.#ports.storage
      .write([{ key: `${PREFIX}${peer}`, put: encodeCanonical(member) }, ...forgotten])
      .catch((cause: Error) => this.#ports.log.event('storage.failed', { reason: cause.message }))
  }
}
