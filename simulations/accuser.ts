/** A peer that does its work, and tells everybody that others do not: with what they have signed, with what it made up, with its own word. */
import { rawCid, recordCid } from '../protocol/cid.ts'
import { type Envelope, openBatch, type SignedKind, signBatch } from '../protocol/envelope.ts'
import { BLOCKS_PROTOCOL, BlockFrame, PEER_PROTOCOL, PeerFrame } from '../protocol/frames.ts'
import { BLOCK_CHUNK_BYTES } from '../protocol/limits.ts'
import { Revocation } from '../protocol/mesh.ts'
import type { Channel, Ports } from '../protocol/ports.ts'
import { Invocation, Receipt, ReceiptFile } from '../protocol/records.ts'
import { delegated, withEveryChannel } from './channels.ts'
import type { Overheard, Signed } from './overheard.ts'

const EVERY_MS = 300
const TIMES = 10
const ACCUSATIONS = ['receipt', 'forgery', 'contradiction', 'revocation'] as const

type How = (typeof ACCUSATIONS)[number]
type Below = (limit: number) => number

class Accuser {
  readonly #ports: Ports
  readonly #overheard: Overheard
  readonly #below: Below
  readonly #how: How
  readonly #channels: Channel[] = []
  /** Files of proofs, by their CIDs. */
  readonly #files = new Map<string, Uint8Array>()
  #chain: Revocation['chain'] | undefined

  constructor(ports: Ports, overheard: Overheard, below: Below) {
    this.#ports = ports
    this.#overheard = overheard
    this.#below = below
    this.#how = ACCUSATIONS[below(ACCUSATIONS.length)] as How
    for (let i = 1; i <= TIMES; i++) ports.clock.after(i * EVERY_MS, () => void this.#accuse())
  }

  ports(): Ports {
    return withEveryChannel(this.#ports, (channel) => {
      if (channel.protocol === BLOCKS_PROTOCOL) return this.#serving(channel)
      if (channel.protocol !== PEER_PROTOCOL) return channel
      this.#channels.push(channel)
      return {
        ...delegated(channel),
        send: (bytes) => {
          this.#learn(PeerFrame.decode(bytes))
          return channel.send(bytes)
        },
      }
    })
  }

  /** Its own membership, which it shows to all. */
  #learn(frame: PeerFrame): void {
    if (frame.t === 'hello' && frame.credential.by === 'membership') this.#chain = frame.credential.chain
  }

  /** Hands on the files of its proofs beside its peer's blocks. */
  #serving(channel: Channel): Channel {
    const has = (frame: Uint8Array): boolean => {
      const want = BlockFrame.decode(frame)
      if (want.t !== 'want') return false
      const [cid] = want.cids
      const bytes = cid && this.#files.get(cid.toString())
      if (!bytes) return false
      channel.send(BlockFrame.encode({ t: 'have', cids: [cid], missing: [] }))
      for (let offset = 0; want.send && offset < bytes.length; offset += BLOCK_CHUNK_BYTES) {
        const chunk = bytes.slice(offset, offset + BLOCK_CHUNK_BYTES)
        channel.send(BlockFrame.encode({ t: 'block', cid, size: bytes.length, offset, bytes: chunk }))
      }
      return true
    }
    return {
      ...delegated(channel),
      receive: ({ frame, closed }) =>
        channel.receive({ closed, frame: (bytes) => (has(bytes) ? undefined : frame(bytes)) }),
    }
  }

  async #accuse(): Promise<void> {
    const how = this.#how
    const frame = how === 'revocation' ? await this.#revocation() : await this.#proofOf(how)
    if (frame) for (const channel of this.#channels) channel.send(PeerFrame.encode(frame))
  }

  /** Of somebody that it has no right to put out. */
  async #revocation(): Promise<PeerFrame | undefined> {
    const { clock, crypto, network, signer } = this.#ports
    const [invocation] = await this.#open('invocation', this.#overheard.invocations)
    const whom = this.#channels[this.#below(Math.max(1, this.#channels.length))]?.peer
    if (!invocation || !whom || !this.#chain) return undefined
    const { mesh } = Invocation.decode(invocation.payload)
    const payload = Revocation.encode({ v: 1, mesh, peer: whom, revoked_ms: clock.now(), chain: this.#chain })
    return { t: 'revocations', signed: await signBatch(crypto, signer, network.peerId, 'revocation', [payload]) }
  }

  async #proofOf(how: Exclude<How, 'revocation'>): Promise<PeerFrame | undefined> {
    const { crypto } = this.#ports
    if (how === 'contradiction') {
      const heads = await this.#open('journal-head', this.#overheard.heads)
      const [one, other] = [this.#any(heads), this.#any(heads)]
      return one && other && { t: 'contradiction', heads: [one, other] }
    }
    const receipt = this.#any(await this.#open('receipt', this.#overheard.receipts))
    if (!receipt) return undefined
    const { invocation: wanted } = Receipt.decode(receipt.payload)
    const invocations = await this.#open('invocation', this.#overheard.invocations)
    const invocation = invocations.find(({ payload }) => recordCid(crypto, payload).equals(wanted))
    if (!invocation) return undefined
    const shown = how === 'forgery' ? { ...receipt, payload: forged(receipt.payload) } : receipt
    const file = ReceiptFile.encode({
      ...{ v: 1, receipts: [shown], invocations: [invocation], heads: [], journal: [], blocks: [], verification: [] },
    })
    const cid = rawCid(crypto, file)
    this.#files.set(cid.toString(), file)
    return { t: 'proof', receipt: shown, invocation, file: cid }
  }

  #any<T>(from: readonly T[]): T | undefined {
    return from[this.#below(Math.max(1, from.length))]
  }

  async #open(kind: SignedKind, signed: readonly Signed[]): Promise<Envelope[]> {
    const { crypto } = this.#ports
    return (await Promise.all(signed.map(({ by, batch }) => openBatch(crypto, by, kind, batch)))).flat()
  }
}

/** A receipt that says that more was used. */
const forged = (payload: Uint8Array): Uint8Array => {
  const receipt = Receipt.decode(payload)
  return Receipt.encode({ ...receipt, usage: { ...receipt.usage, fuel: receipt.usage.fuel + 1 } })
}

/** `ports` of one who accuses others, of what it has overheard. */
export const withAccusations = (ports: Ports, overheard: Overheard, below: Below): Ports =>
  new Accuser(ports, overheard, below).ports()
