/** How a user and its worker agree on a tally: both sides of the channel between them. */
import type { CID } from '../../protocol/cid.ts'
import { type Envelope, signBatch, verifyEnvelope } from '../../protocol/envelope.ts'
import { MeshError } from '../../protocol/errors.ts'
import type { Channel, Ports } from '../../protocol/ports.ts'
import { Tally, USAGE_PROTOCOL, UsageFrame } from '../../protocol/tally.ts'
import { pause } from '../pause.ts'
import { sameBytes } from '../receipts.ts'
import type { Book, Books } from './books.ts'

/** A worker writes to its disk first. */
const ANSWER_MS_MAX = 10_000
/** To one user: each answer costs two signatures and a write to the disk. */
const ANSWER_EVERY_MS = 1000

type ExchangePorts = Pick<Ports, 'clock' | 'crypto' | 'signer' | 'network' | 'log'>
type Pair = Pick<Tally, 'worker' | 'user'>

/** Of the other side: this one's disk may fail as well. */
export const isLie = (cause: unknown): cause is MeshError =>
  cause instanceof MeshError && ['E_MESSAGE', 'E_MESSAGE_LIMIT', 'E_SIGNATURE'].includes(cause.code)

export class Exchange {
  readonly #ports: ExchangePorts
  readonly #mesh: CID
  readonly #books: Books
  readonly #isNeighbour: (peer: string) => boolean
  /** Of users: one each. */
  readonly #channels = new Map<string, Channel>()
  /** Until each of them is answered again, over whatever channel. */
  readonly #rests = new Map<string, Promise<void>>()
  readonly #stopped = new AbortController()

  constructor(ports: ExchangePorts, mesh: CID, books: Books, isNeighbour: (peer: string) => boolean) {
    this.#ports = ports
    this.#mesh = mesh
    this.#books = books
    this.#isNeighbour = isNeighbour
  }

  /** Before the network starts. */
  serve(): void {
    const { network } = this.#ports
    network.handle(USAGE_PROTOCOL, (channel) => this.#accept(channel), { frameBytesMax: UsageFrame.bytesMax })
  }

  stop(): void {
    this.#stopped.abort()
  }

  /** Signs what `worker` has done, keeps that, and hears what stands. Throws MeshError if they did not agree. */
  async settle(worker: string): Promise<void> {
    const { network } = this.#ports
    const pair = { worker, user: network.peerId }
    const book = this.#books.change(worker)
    const by_user = await this.#sign(Tally.encode({ v: 1, mesh: this.#mesh, ...pair, ...book.used.next() }))
    await this.#books.keep()
    const channel = await network.open(worker, USAGE_PROTOCOL, { frameBytesMax: UsageFrame.bytesMax })
    try {
      const answer = this.#answerOn(channel)
      channel.send(UsageFrame.encode({ t: 'owes', by_user }))
      await this.#hear(book, pair, UsageFrame.decode(await answer))
    } finally {
      channel.close()
    }
    this.#books.change(worker)
  }

  async #hear(book: Book, pair: Pair, frame: UsageFrame): Promise<void> {
    if (frame.t !== 'stands' || !sameBytes(frame.by_user.payload, frame.by_worker.payload))
      throw new MeshError('E_MESSAGE', 'a worker answers with one tally, signed by both')
    const said = await this.#read(frame.by_user, pair, pair.user)
    await this.#read(frame.by_worker, pair, pair.worker)
    if (book.used.hears(said) === 'old') throw new MeshError('E_MESSAGE', 'an old tally')
    book.signedUsed = { by_user: frame.by_user, by_worker: frame.by_worker }
  }

  #answerOn(channel: Channel): Promise<Uint8Array> {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>()
    const cancel = this.#ports.clock.after(ANSWER_MS_MAX, () => reject(new MeshError('E_TIMEOUT', 'no answer')))
    channel.receive({
      frame: resolve,
      closed: (reason) => reject(new MeshError('E_UNREACHABLE', reason)),
    })
    return promise.finally(cancel)
  }

  #accept(channel: Channel): void {
    const user = channel.peer
    if (!this.#isNeighbour(user)) {
      channel.receive({ frame: () => {}, closed: () => {} })
      return channel.close({ abort: 'shake hands first' })
    }
    this.#channels.get(user)?.close()
    this.#channels.set(user, channel)
    const frame = (bytes: Uint8Array) =>
      this.#answer(channel, bytes).catch((cause: Error) => {
        if (isLie(cause))
          this.#ports.log.event('peer.misbehaved', { peer: user, code: cause.code, reason: cause.message })
        channel.close({ abort: cause.message })
      })
    const closed = () => {
      if (this.#channels.get(user) === channel) this.#channels.delete(user)
    }
    channel.receive({ frame, closed })
  }

  async #answer(channel: Channel, bytes: Uint8Array): Promise<void> {
    const { clock, network, log } = this.#ports
    const user = channel.peer
    await this.#rests.get(user)
    if (this.#channels.get(user) !== channel) return
    const rest = pause(clock, ANSWER_EVERY_MS, this.#stopped.signal).then(() => void this.#rests.delete(user))
    this.#rests.set(user, rest)
    const frame = UsageFrame.decode(bytes)
    if (frame.t !== 'owes') throw new MeshError('E_MESSAGE', 'a user says what it owes')
    const { by_user } = frame
    const said = await this.#read(by_user, { worker: network.peerId, user }, user)
    const by_worker = await this.#sign(by_user.payload)
    const book = this.#books.change(user)
    const taken = book.lent.takes(said)
    if (taken === 'newer') book.signedLent = { by_user, by_worker }
    if (taken === 'less')
      log.event('peer.misbehaved', { peer: user, code: 'E_RECEIPT', reason: 'it signs for less than before' })
    // Also what is known already: the write of it may have failed.
    await this.#books.keep()
    if (book.signedLent) channel.send(UsageFrame.encode({ t: 'stands', ...book.signedLent }))
  }

  async #sign(payload: Uint8Array): Promise<Envelope> {
    const { crypto, signer, network } = this.#ports
    return (await signBatch(crypto, signer, network.peerId, 'tally', [payload]))[0] as Envelope
  }

  /** Throws MeshError E_SIGNATURE or E_MESSAGE unless `signer` has signed this as a tally of this pair. */
  async #read(signed: Envelope, { worker, user }: Pair, signer: string): Promise<Tally> {
    if (signed.signer !== signer) throw new MeshError('E_MESSAGE', 'a tally signed by another')
    await verifyEnvelope(this.#ports.crypto, 'tally', signed)
    const tally = Tally.decode(signed.payload)
    if (tally.worker === worker && tally.user === user && tally.mesh.equals(this.#mesh)) return tally
    throw new MeshError('E_MESSAGE', 'a tally of others')
  }
}
