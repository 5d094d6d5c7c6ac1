/** What this peer has seen of each executor's word, kept over restarts. */
import { decodeCanonical, encodeCanonical } from '../protocol/codec.ts'
import { MeshError } from '../protocol/errors.ts'
import type { Ports, StorageWrite } from '../protocol/ports.ts'
import { type Answer, type Answering, Charges } from './charges.ts'
import {
  isCleared,
  isExpelled,
  probationAfter,
  probationLeft,
  SUSPICION_PROVEN,
  suspicionAfter,
  type TrustState,
} from './trust.ts'

/** As its owner sees it. */
export interface TrustStatus {
  /** Signed by it, come and fitting. */
  receipts: number
  /** Of these, how many were compared with another execution. */
  audited: number
  /** Proven wrong by re-execution here. */
  caught: number
  /** Of these, how many had been taken for right until they were checked again. */
  corrected: number
  state: TrustState
  /** So many more of its receipts are all audited before any is taken on trust. */
  left: number
}

/** As it is stored. */
interface Standing {
  v: 1
  receipts: number
  audited: number
  caught: number
  corrected: number
  probation: number
  suspicion: number
  /** 1: it has told of proofs that prove nothing. */
  silenced: number
  /** 1: it has signed a wrong outcome that another peer has signed, too. */
  liedAlike: number
}

const COUNTS = ['receipts', 'audited', 'caught', 'corrected', 'probation', 'silenced', 'liedAlike'] as const

const isCount = (x: unknown): x is number => Number.isSafeInteger(x) && (x as number) >= 0

/** Throws MeshError if these are not the bytes of a standing of this version. */
const decodeStanding = (encoded: Uint8Array): Standing => {
  const stored = decodeCanonical(encoded) as Standing
  // Records of before have no word of it.
  const found: Standing = { ...stored, liedAlike: stored?.liedAlike ?? 0 }
  if (found.v === 1 && COUNTS.every((key) => isCount(found[key])) && found.suspicion >= 0) return found
  throw new MeshError('E_STORAGE', 'not a record of what was seen of a peer')
}

/** Throws MeshError if these are not the bytes of what a peer answers for. */
const decodeAnswer = (encoded: Uint8Array): Answer => {
  const stored = decodeCanonical(encoded) as { v: 1; charges: number; earned?: number }
  // Records of before have no word of what was earned.
  const { charges, earned = 0 } = stored ?? {}
  if (stored?.v === 1 && (charges as number) >= 0 && isCount(earned)) return { charges: charges as number, earned }
  throw new MeshError('E_STORAGE', 'not a record of what a peer answers for')
}

const PREFIX = 'trust/'
const CHARGES_PREFIX = 'charges/'
/** Executors remembered, the one longest unheard of forgotten first: whoever is forgotten begins with probation. */
const PEERS_MAX = 4096
const SAVE_EVERY_MS = 5000

const unknown = (): Standing => ({
  ...{ v: 1, receipts: 0, audited: 0, caught: 0, corrected: 0, probation: 0, suspicion: 0, silenced: 0 },
  liedAlike: 0,
})

const rightsOf = ({ audited, caught }: Standing): number => audited - caught

export class Standings {
  readonly #ports: Pick<Ports, 'clock' | 'storage' | 'log'>
  readonly #byPeer = new Map<string, Standing>()
  /** How many times each is suspended now. */
  readonly #suspended = new Map<string, number>()
  /** Monotonic; of the last time. */
  readonly #suspendedMs = new Map<string, number>()
  readonly #expelled = new Set<string>()
  readonly #charges = new Charges()
  readonly #answering: (peer: string) => Answering
  /** Keys in storage. */
  readonly #unsaved = new Set<string>()
  #cancelSave: (() => void) | undefined

  constructor(ports: Pick<Ports, 'clock' | 'storage' | 'log'>, answering: (peer: string) => Answering) {
    this.#ports = ports
    this.#answering = answering
  }

  async load(): Promise<void> {
    await this.#loadAll(PREFIX, (peer, value) => {
      const standing = decodeStanding(value)
      this.#byPeer.set(peer, standing)
      if (isExpelled(standing)) this.#expelled.add(peer)
    })
    await this.#loadAll(CHARGES_PREFIX, (peer, value) => this.#charges.set(peer, decodeAnswer(value)))
  }

  of(peer: string): TrustStatus {
    const { receipts, audited, caught, corrected } = this.#byPeer.get(peer) ?? unknown()
    return { receipts, audited, caught, corrected, state: this.#stateOf(peer), left: this.probationLeft(peer) }
  }

  /** How many of its receipts are all audited before any is taken on trust; 0: its probation is over. */
  probationLeft(peer: string): number {
    const answering = this.#answering(peer)
    const wanted = this.#charges.wanted(answering, (one) => this.#word(one))
    const standing = this.#byPeer.get(peer) ?? unknown()
    return probationLeft(standing, rightsOf(standing), this.#charges.on(answering), wanted)
  }

  /** What weighs on a peer for those whom it let in, and for itself; in expelled ones. */
  chargesOf(peer: string): number {
    return this.#charges.of(peer).charges
  }

  /** Right receipts of its own, and of those for whom it vouches. */
  earnedBy(peer: string): number {
    return rightsOf(this.#byPeer.get(peer) ?? unknown()) + this.#charges.of(peer).earned
  }

  /** Has enough of what it signed been checked again? */
  isCleared(peer: string): boolean {
    return isCleared(this.#byPeer.get(peer) ?? unknown())
  }

  /** Is it asked for nothing now? */
  isSuspended(peer: string): boolean {
    return this.#suspended.has(peer) || this.#expelled.has(peer)
  }

  /** What it has signed since that monotonic instant proves little. */
  wasSuspendedSince(peer: string, sinceMs: number): boolean {
    return this.isSuspended(peer) || (this.#suspendedMs.get(peer) ?? Number.NEGATIVE_INFINITY) >= sinceMs
  }

  isExpelled(peer: string): boolean {
    return this.#expelled.has(peer)
  }

  /** Has it ever signed anything for us, or told us anything? */
  knows(peer: string): boolean {
    return this.#byPeer.has(peer)
  }

  /** Has it signed a wrong outcome that another peer has signed, too? Two of those never vote together. */
  hasLiedAlike(peer: string): boolean {
    return this.#byPeer.get(peer)?.liedAlike === 1
  }

  /** Its proofs against others are not looked at. */
  isSilenced(peer: string): boolean {
    return this.#byPeer.get(peer)?.silenced === 1
  }

  silence(peer: string): void {
    this.#change(peer).silenced = 1
    void this.save()
  }

  received(peer: string): void {
    this.#change(peer).receipts++
  }

  /** One of its receipts was found right by another execution; `released`: long after its caller had the answer. */
  right(peer: string, released: boolean): void {
    const standing = this.#change(peer)
    standing.audited++
    standing.probation = probationAfter(standing, false, released)
    standing.suspicion = suspicionAfter(standing, false)
    this.#chargesChanged(this.#charges.right(this.#answering(peer)))
  }

  /**
   * One was proven wrong, one that had been `released` unaudited or not. At once on its way to the disk. `shared`: another
   * peer has signed the same.
   */
  wrong(peer: string, released: boolean, shared = false): void {
    const standing = this.#change(peer)
    const wasCharged = isExpelled(standing) && standing.corrected > 0
    standing.audited++
    standing.caught++
    if (released) standing.corrected++
    standing.probation = probationAfter(standing, true, released)
    standing.suspicion = suspicionAfter(standing, true)
    if (shared) standing.liedAlike = 1
    if (isExpelled(standing)) this.#expelled.add(peer)
    // One that was never taken on trust has cost nothing but audits: it must not be free to weigh on others.
    if (!wasCharged && isExpelled(standing) && standing.corrected > 0)
      this.#chargesChanged(this.#charges.expelled(this.#answering(peer)))
    void this.save()
  }

  /** It has signed what nobody honest signs: expelled by one proof. */
  proven(peer: string): void {
    const standing = this.#change(peer)
    standing.suspicion = SUSPICION_PROVEN
    this.#expelled.add(peer)
    void this.save()
  }

  /** Until `restore`, once for each time; a restart forgets it, and leaves the probation. */
  suspend(peer: string): void {
    this.#suspended.set(peer, (this.#suspended.get(peer) ?? 0) + 1)
    this.#suspendedMs.set(peer, this.#ports.clock.monotonic())
  }

  restore(peer: string): void {
    const left = (this.#suspended.get(peer) ?? 0) - 1
    if (left > 0) this.#suspended.set(peer, left)
    else this.#suspended.delete(peer)
  }

  /** Resolves also if the storage failed; that is logged. */
  async save(): Promise<void> {
    this.#cancelSave?.()
    this.#cancelSave = undefined
    const writes = [...this.#unsaved].map((key): StorageWrite => {
      const record = this.#recordAt(key)
      return record ? { key, put: encodeCanonical(record) } : { key, delete: true }
    })
    this.#unsaved.clear()
    if (writes.length === 0) return
    await this.#ports.storage.write(writes).catch((cause: Error) => {
      this.#ports.log.event('storage.failed', { reason: cause.message })
    })
  }

  async #loadAll(prefix: string, take: (peer: string, value: Uint8Array) => void): Promise<void> {
    for await (const { key, value } of this.#ports.storage.scan(prefix)) {
      const peer = key.slice(prefix.length)
      try {
        take(peer, value)
      } catch (cause) {
        if (!(cause instanceof MeshError)) throw cause
        this.#ports.log.event('storage.failed', { peer, reason: cause.message })
        this.#saveLater(key)
      }
    }
  }

  #recordAt(key: string): Standing | ({ v: 1 } & Answer) | undefined {
    if (key.startsWith(PREFIX)) return this.#byPeer.get(key.slice(PREFIX.length))
    const answer = this.#charges.of(key.slice(CHARGES_PREFIX.length))
    return answer.charges > 0 || answer.earned > 0 ? { v: 1, ...answer } : undefined
  }

  /** What it has given itself, as one who vouches. */
  #word(peer: string): number {
    return this.#expelled.has(peer) ? Number.NEGATIVE_INFINITY : rightsOf(this.#byPeer.get(peer) ?? unknown())
  }

  #chargesChanged(peers: readonly string[]): void {
    for (const peer of peers) this.#saveLater(CHARGES_PREFIX + peer)
  }

  #stateOf(peer: string): TrustState {
    if (this.#expelled.has(peer)) return 'expelled'
    if (this.#suspended.has(peer)) return 'suspended'
    return this.probationLeft(peer) > 0 ? 'probation' : 'trusted'
  }

  #change(peer: string): Standing {
    const standing = this.#byPeer.get(peer) ?? unknown()
    this.#byPeer.delete(peer)
    this.#byPeer.set(peer, standing)
    if (this.#byPeer.size > PEERS_MAX) this.#forget(this.#byPeer.keys().next().value as string)
    this.#saveLater(PREFIX + peer)
    return standing
  }

  #forget(peer: string): void {
    this.#byPeer.delete(peer)
    this.#expelled.delete(peer)
    this.#suspendedMs.delete(peer)
    this.#saveLater(PREFIX + peer)
  }

  #saveLater(key: string): void {
    this.#unsaved.add(key)
    this.#cancelSave ??= this.#ports.clock.after(SAVE_EVERY_MS, () => void this.save())
  }
}
