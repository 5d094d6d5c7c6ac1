/** Who was put out of the mesh, and by whom: what is held of it, within bounds, and kept in storage. */
import type { CID } from '../protocol/cid.ts'
import { decodeCanonical, encodeCanonical } from '../protocol/codec.ts'
import { type Envelope, signBatch, verifyEnvelope } from '../protocol/envelope.ts'
import { REVOCATIONS_MAX } from '../protocol/limits.ts'
import { chainExpiryMs, type IsRevoked, lineOf, Revocation, revokedIn, verifyChain } from '../protocol/mesh.ts'
import type { Ports } from '../protocol/ports.ts'

/** Of one member: a member who revokes peers that it made up keeps out few that others revoke. The operator may fill all. */
export const REVOCATIONS_PER_MEMBER_MAX = 64

const PREFIX = 'revocation/'

const keyOf = (peer: string, by: string): string => `${PREFIX}${peer}/${by}`

export interface HeldRevocation {
  readonly peer: string
  readonly by: string
  readonly revokedMs: number
  readonly signed: Envelope
  /** The signer, who admitted it, and so on up to the operator. */
  readonly line: readonly string[]
}

type RevocationPorts = Pick<Ports, 'clock' | 'crypto' | 'signer' | 'network' | 'storage' | 'log'>

export class Revocations {
  readonly #ports: RevocationPorts
  readonly #mesh: { id: CID; operator: string; isPublic: boolean }
  /** By storage key. */
  readonly #held = new Map<string, HeldRevocation>()

  /** On a public mesh everybody is a member, and withdraws what it has vouched for. */
  constructor(ports: RevocationPorts, mesh: { id: CID; operator: string; isPublic: boolean }) {
    this.#ports = ports
    this.#mesh = mesh
  }

  readonly isRevoked: IsRevoked = (peer, by) => this.#held.has(keyOf(peer, by))

  /** What was kept; call it before anything else. */
  async load(): Promise<void> {
    for await (const { key, value } of this.#ports.storage.scan(PREFIX)) {
      const signed = decodeCanonical(value) as Envelope
      this.#held.set(key, this.#open(signed, Revocation.decode(signed.payload)))
    }
  }

  all(): readonly HeldRevocation[] {
    return [...this.#held.values()]
  }

  /** Revokes `peer` in the name of this peer, whose own membership is `chain`. Throws MeshError E_STORAGE. */
  async revoke(peer: string, chain: Envelope[]): Promise<Envelope> {
    const { clock, crypto, signer, network } = this.#ports
    const record = { v: 1 as const, mesh: this.#mesh.id, peer, revoked_ms: clock.now(), chain }
    const payload = Revocation.encode(record)
    const [signed] = (await signBatch(crypto, signer, network.peerId, 'revocation', [payload])) as [Envelope]
    await this.#keep(this.#open(signed, record), true)
    return signed
  }

  /**
   * True if it is new, and now held. What cannot matter is passed over before any signature is checked. Throws
   * MeshError E_MESSAGE, E_SIGNATURE or E_NOT_ADMITTED for one that nobody honest passes on.
   */
  async accept(signed: Envelope): Promise<boolean> {
    const { clock, crypto, log } = this.#ports
    const revocation = Revocation.decode(signed.payload)
    const held = this.#open(signed, revocation)
    if (!revocation.mesh.equals(this.#mesh.id) || !this.#isWanted(held, revocation.chain)) return false
    await verifyEnvelope(crypto, 'revocation', signed)
    const { id: mesh, operator, isPublic } = this.#mesh
    const to = { mesh, operator, peer: signed.signer, nowMs: clock.now(), isRevoked: this.isRevoked }
    if (!isPublic) await verifyChain(crypto, revocation.chain, to)
    // Others may have come while the signatures were checked.
    if (!this.#isWanted(held, revocation.chain)) return false
    // Were it lost, others would tell of it again: nobody waits for the disk.
    await this.#keep(held, false).catch((cause: Error) => log.event('storage.failed', { reason: cause.message }))
    return true
  }

  #open(signed: Envelope, { peer, revoked_ms, chain }: Revocation): HeldRevocation {
    const by = signed.signer
    return { peer, by, revokedMs: revoked_ms, signed, line: lineOf(by, chain, this.#mesh.operator) }
  }

  #isWanted(one: HeldRevocation, chain: readonly Envelope[]): boolean {
    const { operator, isPublic } = this.#mesh
    if (one.peer === operator || one.peer === one.by || this.isRevoked(one.peer, one.by)) return false
    if (one.by !== operator) {
      const isExpired = !isPublic && chainExpiryMs(chain) <= this.#ports.clock.now()
      if (isExpired || revokedIn(one.line, this.isRevoked)) return false
      return this.#held.size < REVOCATIONS_MAX && this.#countBy(one.by) < REVOCATIONS_PER_MEMBER_MAX
    }
    const displaced = this.#displaced()
    return !displaced || displaced.by !== operator || displaced.revokedMs < one.revokedMs
  }

  #countBy(signer: string): number {
    let count = 0
    for (const { by } of this.#held.values()) if (by === signer) count++
    return count
  }

  /** What gives way to a revocation by the operator when all places are taken: one by a member, else the oldest. */
  #displaced(): HeldRevocation | undefined {
    if (this.#held.size < REVOCATIONS_MAX) return undefined
    let oldest: HeldRevocation | undefined
    for (const one of this.#held.values()) {
      if (one.by !== this.#mesh.operator) return one
      if (!oldest || one.revokedMs < oldest.revokedMs) oldest = one
    }
    return oldest
  }

  /** Nobody was told of it, and here it must not count either. */
  #takeBack({ peer, by }: HeldRevocation, gone: readonly HeldRevocation[]): void {
    this.#held.delete(keyOf(peer, by))
    for (const one of gone) this.#held.set(keyOf(one.peer, one.by), one)
  }

  /** In memory at once, and in storage: one that must be durable is taken back if it cannot be. Those whose signer is out by it end with it. */
  async #keep(one: HeldRevocation, durable: boolean): Promise<void> {
    const displaced = this.#displaced()
    const key = keyOf(one.peer, one.by)
    if (displaced) this.#held.delete(keyOf(displaced.peer, displaced.by))
    this.#held.set(key, one)
    const idle = this.all().filter(({ line }) => revokedIn(line, this.isRevoked))
    for (const { peer, by } of idle) this.#held.delete(keyOf(peer, by))
    const gone = [...(displaced ? [displaced] : []), ...idle]
    const deletes = gone.map(({ peer, by }) => ({ key: keyOf(peer, by), delete: true as const }))
    try {
      await this.#ports.storage.write([{ key, put: encodeCanonical(one.signed) }, ...deletes], { durable })
    } catch (cause) {
      if (durable) this.#takeBack(one, gone)
      throw cause
    }
  }
}
