/** One life of a page's peer: it joins, however long that takes, lends as it is told, and ends. */

import { QUOTA_DEFAULT } from '../peer/admission.ts'
import { createPeer } from '../peer/index.ts'
import { isMember, keepTrying, learnMesh, readForMember, readInvitation } from '../peer/join.ts'
import type { MeshState } from '../peer/membership.ts'
import type { Peer } from '../peer/peer.ts'
import type { PeerStatus } from '../peer/status.ts'
import { ensureCid } from '../protocol/cid.ts'
import { ERRORS, MeshError } from '../protocol/errors.ts'
import { MIB } from '../protocol/limits.ts'
import { isTicketText, meshIdOf } from '../protocol/mesh.ts'
import { MeshRecord } from '../protocol/mesh-record.ts'
import { ENGINES } from '../sandbox/engines.ts'
import type { Lent } from './guest/presence.ts'
import type { PagePorts } from './ports.ts'
import { dialableOf } from './refusals.ts'

/** A tab has little to spare, and is one of many. */
const PLACES = 16
const DISK_BYTES = 64 * MIB
const TASK_MEMORY_BYTES = 128 * MIB
/** A sandbox that has had nothing to do for this long ends. */
const SANDBOX_IDLE_MS = 30_000
/** Of functions that are shown by name. */
const NAMES_MAX = 64
const MESH_KEY = 'page/mesh'

export interface LendingPeerOptions {
  /** A ticket; or a multiaddr, for a public mesh. */
  mesh: string
  accept: readonly string[]
  slots: number
  /** It does not join: for now, or, if `final`, for good. */
  failed(cause: MeshError, final: boolean): void
  /** It has become a peer of its mesh. */
  begun(): void
  /** One of the addresses that it was given has let it in. */
  joined(): void
}

type Joining = Pick<PagePorts, 'crypto' | 'clock' | 'log' | 'network' | 'storage'>

const keptMesh = async ({ storage }: Joining): Promise<MeshRecord | undefined> => {
  const bytes = await storage.get(MESH_KEY)
  return bytes && MeshRecord.decode(bytes)
}

/** Of a ticket, also one that has expired: its addresses are where its mesh is, for who is a member already. */
const settleMesh = async (ports: Joining, mesh: string, signal: AbortSignal): Promise<MeshRecord> => {
  const kept = await keptMesh(ports)
  const invitation = isTicketText(mesh) ? await readForMember(ports, mesh) : { addresses: [mesh] }
  if (invitation.ticket?.own) {
    throw new MeshError('E_USAGE', 'this ticket is for a machine of the inviter; give a page one made without --own')
  }
  const { addresses, ticket } = invitation
  const isKept = kept && (!ticket || meshIdOf(ports.crypto, kept.genesis).toString() === ticket.mesh)
  if (isKept && (await isMember(ports, kept, ports.network.peerId))) return { ...kept, addresses }
  // Now it has to be valid.
  const valid = isTicketText(mesh) ? await readInvitation(ports, mesh) : invitation
  await ports.network.start()
  const learned = { ...(await learnMesh(ports, valid, signal)), addresses }
  await ports.storage.write([{ key: MESH_KEY, put: MeshRecord.encode(learned) }], { durable: true })
  return learned
}

const asMeshError = (cause: unknown): MeshError =>
  cause instanceof MeshError ? cause : new MeshError('E_INTERNAL', String(cause), { cause })

export class LendingPeer implements Lent {
  readonly #ports: PagePorts
  readonly #options: LendingPeerOptions
  readonly #over = new AbortController()
  readonly #running: Promise<void>
  #peer: Peer | undefined
  readonly #names = new Map<string, string | undefined>()
  #isLending = false

  constructor(ports: PagePorts, options: LendingPeerOptions) {
    this.#ports = ports
    this.#options = options
    this.#running = this.#run().catch((cause) => this.#options.failed(asMeshError(cause), true))
  }

  get peerId(): string {
    return this.#ports.network.peerId
  }

  /** Undefined until it is a peer of its mesh. */
  status(): PeerStatus | undefined {
    return this.#peer?.status()
  }

  /** Of a function that it runs, once its manifest has been looked up. */
  nameOf(functionCid: string): string | undefined {
    if (!this.#names.has(functionCid)) {
      if (this.#names.size >= NAMES_MAX) this.#names.clear()
      this.#names.set(functionCid, undefined)
      const named = this.#peer?.manifest(ensureCid(functionCid))
      named?.then(({ name }) => this.#names.set(functionCid, name)).catch(() => this.#names.delete(functionCid))
    }
    return this.#names.get(functionCid)
  }

  lend(share: number): void {
    this.#ports.sandboxHost.share(share)
    if (!this.#isLending) this.#peer?.resume()
    this.#isLending = true
  }

  withhold(): void {
    this.#isLending = false
    this.#peer?.withdraw()
    // What it would not have ended by itself.
    this.#ports.sandboxHost.stop()
  }

  resize(slots: number): void {
    this.#peer?.resize(slots)
  }

  /** In this turn nothing is run any more. */
  async end(): Promise<void> {
    this.#over.abort()
    this.#peer?.withdraw()
    this.#ports.sandboxHost.stop()
    await this.#running
    if (this.#peer) return this.#peer.stop()
    await this.#ports.network.stop()
    await this.#ports.storage.close()
  }

  async #run(): Promise<void> {
    const { clock } = this.#ports
    const over = this.#over.signal
    const mesh = await this.#settled()
    if (!mesh) return
    this.#peer = await this.#create(mesh)
    if (over.aborted) return
    if (!this.#isLending) this.#peer.pause()
    await this.#peer.start()
    this.#options.begun()
    const peer = this.#peer
    for (const address of dialableOf(mesh.addresses))
      keepTrying(
        async () => {
          await peer.join(address, over)
          this.#options.joined()
        },
        clock,
        over,
        (cause) => this.#options.failed(asMeshError(cause), false),
      )
  }

  /** Undefined: it is over before it is known. */
  #settled(): Promise<MeshRecord | undefined> {
    const over = this.#over.signal
    return new Promise((resolve, reject) => {
      over.addEventListener('abort', () => resolve(undefined), { once: true })
      const attempt = async () => resolve(await settleMesh(this.#ports, this.#options.mesh, over))
      keepTrying(attempt, this.#ports.clock, over, (thrown) => {
        const cause = asMeshError(thrown)
        if (ERRORS[cause.code].retry !== 'never') return this.#options.failed(cause, false)
        this.#over.abort()
        reject(cause)
      })
    })
  }

  #create(mesh: MeshState): Promise<Peer> {
    const { accept, slots } = this.#options
    return createPeer(this.#ports, {
      mesh,
      policy: { accept, deny: [], slots, memoryBytes: TASK_MEMORY_BYTES, quota: QUOTA_DEFAULT },
      engines: ENGINES,
      effects: [],
      diskBytes: DISK_BYTES,
      sandboxIdleMs: SANDBOX_IDLE_MS,
      places: PLACES,
    })
  }
}
