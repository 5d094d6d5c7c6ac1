/** Proofs that may be shown travel: told to neighbours, checked by each itself, and passed on once. */
import { type CID, rawCid, recordCid } from '../protocol/cid.ts'
import { type Envelope, verifyEnvelope } from '../protocol/envelope.ts'
import { MeshError } from '../protocol/errors.ts'
import type { FrameOf } from '../protocol/frames.ts'
import { BLOCK_BYTES_MAX } from '../protocol/limits.ts'
import type { Ports } from '../protocol/ports.ts'
import { Invocation, Receipt, ReceiptFile } from '../protocol/records.ts'
import type { BlockExchange } from '../registry/block-exchange.ts'
import type { BlockStore } from '../registry/block-store.ts'
import type { SandboxPool } from '../sandbox/pool.ts'
import type { Auditor } from './auditor.ts'
import type { Performed } from './calls.ts'
import { JournalHeads, openHead, type TwoHeads } from './journal-heads.ts'
import type { MembershipOffice } from './membership.ts'
import type { Neighbour, NeighbourTable } from './neighbours.ts'
import { PROOFS_PER_MINUTE_MAX, ProofBudget } from './proof-budget.ts'
import { contradictionOf, proofOf } from './receipt-file.ts'
import { sameBytes } from './receipts.ts'
import type { Standings } from './standings.ts'
import { verifyReceiptFile } from './verify-file.ts'

/** One block: what is larger stays with its home, who can hand it on as a file. */
const PROOF_BYTES_MAX = BLOCK_BYTES_MAX
/** Wall clock of a run that somebody else asks for. */
const RUN_MS_MAX = 5000
const FETCH_MS_MAX = 10_000
/** For so long a proof waits for a slot that nobody else needs; then it takes its turn. */
const IDLE_WAIT_MS_MAX = 10_000
const IDLE_LOOK_MS = 100
/** Receipts that were proven wrong, or are being judged: each counts once. Some 150 bytes each. */
const KNOWN_MAX = 4096
/** They say nothing about the proof: it was not run to its end. */
const UNDECIDED = ['E_INCONCLUSIVE', 'E_ENGINE_UNAVAILABLE']

type Proof = FrameOf<'proof'>

export interface ProofOptions {
  /** Identifies the exact sandbox build that proofs are checked in. */
  engines: readonly string[]
  /** Keeps an encoded ReceiptFile by which `peer` was convicted, for its owner to show. */
  keepProof?: ((peer: string, file: Uint8Array) => void) | undefined
}

export interface ProofParts {
  office: Pick<MembershipOffice, 'meshId'>
  neighbours: NeighbourTable
  standings: Standings
  auditor: Pick<Auditor, 'wrong' | 'twoFaced'>
  store: Pick<BlockStore, 'get' | 'put' | 'delete'>
  exchange: Pick<BlockExchange, 'fetch'>
  pool: SandboxPool
}

type ProofPorts = Pick<Ports, 'clock' | 'crypto' | 'network' | 'log'>

export class PublicProofs {
  readonly #ports: ProofPorts
  readonly #parts: ProofParts
  readonly #options: ProofOptions
  readonly #budget = new ProofBudget()
  readonly #known = new Set<string>()
  /** One after another: together they take one slot at most. */
  #queue: Promise<void> = Promise.resolve()
  #queued = 0
  #stopped = false

  /** `parts` may be filled until the first neighbour comes. */
  constructor(ports: ProofPorts, parts: ProofParts, options: ProofOptions) {
    this.#ports = ports
    this.#parts = parts
    this.#options = options
  }

  stop(): void {
    this.#stopped = true
  }

  /** A run here has shown that its receipt is wrong. Of a private invocation nobody hears. */
  tell(performed: Performed): void {
    if (performed.item.request.public) this.#publish(performed).catch((cause) => this.#failed(cause))
  }

  /** Two heads, rightly signed, have come together here. */
  tellContradiction([one, other]: TwoHeads, from?: Neighbour): void {
    const { signer } = one.signed
    this.#parts.auditor.twoFaced(signer)
    this.#options.keepProof?.(signer, contradictionOf([one.signed, other.signed]))
    this.#pass({ t: 'contradiction', heads: [one.signed, other.signed] }, [signer, from?.peer])
  }

  async onProof(neighbour: Neighbour, proof: Proof): Promise<void> {
    const { receipt: signed } = proof
    const key = this.#keyOf(signed)
    if (!this.#hears(neighbour, signed.signer) || this.#known.has(key)) return
    if (!this.#budget.read(neighbour.peer, this.#ports.clock.monotonic())) return
    const receipt = await this.#open(proof).catch((cause: MeshError) => this.#silence(neighbour, cause))
    if (!receipt || !this.#isOurs(receipt) || this.#known.has(key)) return
    if (this.#queued >= PROOFS_PER_MINUTE_MAX || !this.#budget.run(this.#ports.clock.monotonic())) return
    this.#know(key)
    this.#queued++
    this.#queue = this.#queue
      .then(() => this.#judge(neighbour, proof, key))
      .catch((cause) => this.#failed(cause))
      .finally(() => this.#queued--)
  }

  async onContradiction(neighbour: Neighbour, { heads }: FrameOf<'contradiction'>): Promise<void> {
    const [one, other] = heads as [Envelope, Envelope]
    if (!this.#hears(neighbour, one.signer)) return
    if (!this.#budget.read(neighbour.peer, this.#ports.clock.monotonic())) return
    try {
      const seen = new JournalHeads()
      seen.add(await openHead(this.#ports.crypto, one))
      const two = seen.add(await openHead(this.#ports.crypto, other))
      if (!two) throw new MeshError('E_RECEIPT', 'two journal heads that do not contradict each other')
      if (!this.#parts.standings.isExpelled(one.signer)) this.tellContradiction(two, neighbour)
    } catch (cause) {
      this.#silence(neighbour, cause as MeshError)
    }
  }

  async #publish(performed: Performed): Promise<void> {
    const { store } = this.#parts
    const receipt = await performed.receipt()
    const bytes = await proofOf(receipt, performed, (cid) => store.get(cid))
    if (bytes.length > PROOF_BYTES_MAX)
      throw new MeshError('E_MESSAGE_LIMIT', `a proof of ${bytes.length} bytes is too large to be told to others`)
    const file = rawCid(this.#ports.crypto, bytes)
    await store.put(file, bytes)
    this.#options.keepProof?.(receipt.signer, bytes)
    this.#know(this.#keyOf(receipt))
    this.#pass({ t: 'proof', receipt, invocation: await performed.invocation(), file }, [receipt.signer])
  }

  #pass(frame: Proof | FrameOf<'contradiction'>, but: readonly (string | undefined)[]): void {
    for (const { peer, member, link } of this.#parts.neighbours.all())
      if (member && !but.includes(peer)) link.send(frame)
  }

  /** Is what `neighbour` says of `signer` worth a look? Nothing that costs anything has been done yet. */
  #hears({ peer, member }: Neighbour, signer: string): boolean {
    const { standings, neighbours } = this.#parts
    if (this.#stopped || !member || standings.isSilenced(peer)) return false
    if (signer === this.#ports.network.peerId || standings.isExpelled(signer)) return false
    return neighbours.get(signer) !== undefined || standings.knows(signer)
  }

  /** Throws MeshError for a proof that nobody honest sends. */
  async #open({ receipt: signed, invocation: asked }: Proof): Promise<Receipt> {
    const { crypto } = this.#ports
    const receipt = Receipt.decode(signed.payload)
    const invocation = Invocation.decode(asked.payload)
    if (receipt.executor !== signed.signer || !recordCid(crypto, asked.payload).equals(receipt.invocation))
      throw new MeshError('E_RECEIPT', 'a proof whose parts do not belong together')
    if (!invocation.public) throw new MeshError('E_RECEIPT', 'a proof of a private invocation')
    await verifyEnvelope(crypto, 'receipt', signed)
    await verifyEnvelope(crypto, 'invocation', asked)
    return receipt
  }

  /** Of this mesh and our engines: others cannot be judged here. */
  #isOurs({ mesh, engine }: Receipt): boolean {
    return mesh.equals(this.#parts.office.meshId) && this.#options.engines.includes(engine)
  }

  async #judge(neighbour: Neighbour, proof: Proof, key: string): Promise<void> {
    const bytes = await this.#fetch(proof.file, neighbour.peer)
    const verdict = bytes ? await this.#verdictOf(bytes, proof) : 'undecided'
    // Else a false file would shield a wrong receipt from the true one.
    if (verdict !== 'wrong') this.#known.delete(key)
    if (bytes && verdict === 'wrong') {
      const { signer } = proof.receipt
      this.#options.keepProof?.(signer, bytes)
      this.#ports.log.event('proof.accepted', { peer: signer, reason: `shown by ${neighbour.peer}` })
      this.#parts.auditor.wrong(signer)
      return this.#pass(proof, [signer, neighbour.peer])
    }
    await this.#parts.store.delete(proof.file)
    if (verdict === 'false')
      this.#silence(neighbour, new MeshError('E_VERIFICATION_FAILED', 'a proof that proves nothing'))
  }

  async #verdictOf(bytes: Uint8Array, proof: Proof): Promise<'wrong' | 'false' | 'undecided'> {
    if (!holdsAlone(bytes, proof)) return 'false'
    await this.#idle()
    if (this.#stopped) return 'undecided'
    const sandbox = { pool: this.#parts.pool, engines: this.#options.engines, timeoutMs: RUN_MS_MAX }
    const [checked] = (await verifyReceiptFile(this.#ports, sandbox, bytes)).receipts
    if (checked?.verdict === 'wrong') return 'wrong'
    return checked?.verdict === 'unusable' && UNDECIDED.includes(checked.code) ? 'undecided' : 'false'
  }

  /** Undefined: the sender has not got it, or takes too long. */
  async #fetch(file: CID, peer: string): Promise<Uint8Array | undefined> {
    const late = new AbortController()
    const cancel = this.#ports.clock.after(FETCH_MS_MAX, () => late.abort())
    try {
      return await this.#parts.exchange.fetch(file, [peer], late.signal)
    } catch (cause) {
      if (cause instanceof MeshError) return undefined
      throw cause
    } finally {
      cancel()
    }
  }

  async #idle(): Promise<void> {
    const { clock } = this.#ports
    const { pool } = this.#parts
    const untilMs = clock.monotonic() + IDLE_WAIT_MS_MAX
    while (!this.#stopped && (pool.free === 0 || pool.queued > 0) && clock.monotonic() < untilMs)
      await new Promise<void>((resolve) => clock.after(IDLE_LOOK_MS, resolve))
  }

  /** No more of its proofs are looked at, also after a restart. */
  #silence({ peer }: Neighbour, { code, message: reason }: MeshError): undefined {
    this.#parts.standings.silence(peer)
    this.#ports.log.event('proof.refused', { peer, code, reason })
  }

  #keyOf({ payload }: Envelope): string {
    return rawCid(this.#ports.crypto, payload).toString()
  }

  #know(key: string): void {
    this.#known.add(key)
    if (this.#known.size > KNOWN_MAX) this.#known.delete(this.#known.values().next().value as string)
  }

  #failed(cause: unknown): void {
    if (cause instanceof MeshError) this.#ports.log.event('proof.kept', { code: cause.code, reason: cause.message })
    else this.#ports.log.event('internal.error', { reason: String((cause as Error).stack) })
  }
}

/** Is it a file with this one receipt and its invocation? What else is in it, the check reads. */
const holdsAlone = (bytes: Uint8Array, { receipt, invocation }: Proof): boolean => {
  try {
    const { receipts, invocations } = ReceiptFile.decode(bytes)
    const same = (a: Envelope | undefined, b: Envelope) => a?.signer === b.signer && sameBytes(a.payload, b.payload)
    return receipts.length === 1 && same(receipts[0], receipt) && same(invocations[0], invocation)
  } catch {
    return false
  }
}
