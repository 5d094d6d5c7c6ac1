/** What callers have delegated to this home: kept beside the invocations that run by it. */

import type { CID } from '../../protocol/cid.ts'
import { decodeCanonical, encodeCanonical } from '../../protocol/codec.ts'
import { Delegation } from '../../protocol/delegation.ts'
import type { DurableRecord } from '../../protocol/durable.ts'
import type { Envelope } from '../../protocol/envelope.ts'
import { MeshError } from '../../protocol/errors.ts'
import type { Ports } from '../../protocol/ports.ts'
import { commitKnown } from '../state/commit.ts'
import type { StateEngine, Write } from '../state/engine.ts'
import { Damaged, wholeOf } from './damaged.ts'
import { type HeldDelegation, openDelegation } from './delegation-rules.ts'

/** No grant reaches it. */
const DELEGATIONS = '.delegations'
/** How often one that has lapsed is looked for, and one that holds is looked at. */
const LOOK_MS = 1000

type DelegationPorts = Pick<Ports, 'clock' | 'crypto' | 'network'>

/** As it is kept: one that was revoked stays, so that its caller may renew it. */
type Kept = Envelope | { revoked: Envelope }

export const forgetDelegation = (id: string): Write => ({ namespace: DELEGATIONS, key: id, delete: true })

const signedIn = (kept: Kept): Envelope => ('revoked' in kept ? kept.revoked : kept)

/** Throws Damaged: nobody but the caller could say it again, and that knows it from its home. */
const readKept = (id: string, value: Uint8Array | undefined): { kept: Kept; delegation: Delegation } => {
  if (!value) throw new Damaged(id, 'what its caller has signed is missing')
  return wholeOf(id, 'what its caller has signed', () => {
    const kept = decodeCanonical(value) as Kept
    return { kept, delegation: Delegation.decode(signedIn(kept).payload) }
  })
}

export class Delegations {
  readonly #ports: DelegationPorts
  readonly #engine: StateEngine
  readonly #mesh: CID

  constructor(ports: DelegationPorts, engine: StateEngine, mesh: CID) {
    this.#ports = ports
    this.#engine = engine
    this.#mesh = mesh
  }

  /** Throws MeshError E_SIGNATURE for one that `caller` has not signed, E_MESSAGE, E_MESH_MISMATCH, E_NO_HOME. */
  async open(caller: string, signed: Envelope): Promise<Delegation> {
    if (signed.signer !== caller)
      throw new MeshError('E_SIGNATURE', { message: `the delegation is signed by ${signed.signer}`, peer: caller })
    const { clock, crypto, network } = this.#ports
    return openDelegation(crypto, signed, { mesh: this.#mesh, home: network.peerId, nowMs: clock.now() })
  }

  /** What keeps it for the invocation `id`. */
  writeOf(id: string, signed: Envelope): Write {
    return { namespace: DELEGATIONS, key: id, put: encodeCanonical(signed) }
  }

  renew(id: string, signed: Envelope): Promise<void> {
    return this.#commit(`${id}/renewed`, this.writeOf(id, signed))
  }

  /** Throws Damaged. */
  async revoke(id: string): Promise<void> {
    const { kept } = await this.#kept(id)
    const write = { namespace: DELEGATIONS, key: id, put: encodeCanonical({ revoked: signedIn(kept) }) }
    await this.#commit(`${id}/revoked`, write)
  }

  /** Those by which `running` go on, or may again: without what is damaged, which ends by itself. */
  async standing(running: readonly { id: string; record: DurableRecord }[]): Promise<HeldDelegation[]> {
    const own = running.filter(({ id, record }) => record.delegated?.under.toString() === id)
    const found = await Promise.all(own.map(({ id }) => this.#kept(id).catch(passedOver)))
    return own.flatMap(({ id, record }, i) => {
      const kept = found[i]?.kept
      if (!kept) return []
      const by = running.filter(({ record: { delegated } }) => delegated?.under.toString() === id)
      const about = { isRevoked: 'revoked' in kept, deadlineMs: record.deadline_ms, running: by.length }
      return [{ id, signed: signedIn(kept), ...about }]
    })
  }

  /** By which `id` may run now. Throws MeshError E_NO_HOME if it was revoked or has expired, Damaged. */
  async held(id: string): Promise<{ delegation: Delegation; signed: Envelope }> {
    const { kept, delegation } = await this.#kept(id)
    if ('revoked' in kept) throw new MeshError('E_NO_HOME', 'the caller has revoked its delegation')
    const { clock } = this.#ports
    if (delegation.expires_ms > clock.now()) return { delegation, signed: kept }
    throw new MeshError('E_NO_HOME', 'the delegation of the caller has expired; renew it')
  }

  /** Aborts `over` once `id` may run no more; until then the state is looked at now and then. Returns what ends that. */
  watch(id: string, over: AbortController): () => void {
    let cancel = () => {}
    const look = () => {
      this.held(id).then(
        ({ delegation: { expires_ms } }) => {
          if (isWatched) cancel = this.#ports.clock.after(Math.min(LOOK_MS, expires_ms - this.#ports.clock.now()), look)
        },
        (cause) => {
          const isOver = cause instanceof Damaged || (cause instanceof MeshError && cause.code === 'E_NO_HOME')
          if (isOver) over.abort()
          else if (isWatched) cancel = this.#ports.clock.after(LOOK_MS, look)
        },
      )
    }
    let isWatched = true
    look()
    return () => {
      isWatched = false
      cancel()
    }
  }

  /** The one of whoever has signed for `id`; undefined: there is none, or it is damaged. */
  async callerOf(id: string): Promise<string | undefined> {
    const found = await this.#kept(id).catch(passedOver)
    return found && signedIn(found.kept).signer
  }

  /** Throws Damaged. */
  async #kept(id: string): Promise<{ kept: Kept; delegation: Delegation }> {
    const [entry] = await this.#engine.read(DELEGATIONS, [id], await this.#engine.revision())
    return readKept(id, entry?.value)
  }

  async #commit(name: string, write: Write): Promise<void> {
    const revision = await this.#engine.revision()
    const transaction = { id: `${name}/${revision}`, revision, reads: [], ranges: [], writes: [write] }
    await commitKnown(this.#ports.clock, this.#engine, transaction)
  }
}

const passedOver = (cause: unknown): undefined => {
  if (!(cause instanceof Damaged)) throw cause
}
