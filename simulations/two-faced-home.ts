/** A home that is not as it should be: it stands between the honest one and its network. */
import { headBytes } from '../peer/journal-heads.ts'
import { headOf } from '../peer/receipts.ts'
import { recordCid } from '../protocol/cid.ts'
import { isDeferred } from '../protocol/effects.ts'
import { batchOf, signBatch } from '../protocol/envelope.ts'
import { type FrameOf, PeerFrame } from '../protocol/frames.ts'
import type { JournalEntry } from '../protocol/journal.ts'
import type { Channel, Ports } from '../protocol/ports.ts'
import { encodeValue } from '../protocol/values.ts'
import { delegated, withChannels } from './channels.ts'

/** Ids of its own, which the honest home never reaches. */
const OTHER_IDS = 2 ** 40

interface Second {
  readonly invocation: Uint8Array
  readonly epoch: number
  readonly journal: JournalEntry[]
}

/** One channel, on which each item that requested something is asked for again, under the same epoch. */
class TwoFacedChannel {
  readonly #channel: Channel
  readonly #ports: Ports
  readonly #invokes = new Map<number, FrameOf<'invoke'>>()
  readonly #seconds = new Map<number, Second>()

  constructor(channel: Channel, ports: Ports) {
    this.#channel = channel
    this.#ports = ports
  }

  sent(frame: PeerFrame): void {
    if (frame.t === 'invoke') for (const { id } of frame.items) this.#invokes.set(id, frame)
    if (frame.t !== 'heads') return
    for (const id of frame.ids) {
      const invoke = this.#invokes.get(id)
      if (invoke) this.#again(invoke)
    }
  }

  /** True: it was about an item that the honest home knows nothing of. */
  heard(frame: PeerFrame): boolean {
    if (frame.t === 'request') {
      const { t: _, id, ...request } = frame
      const second = this.#seconds.get(id)
      if (!second) return false
      second.journal.push({ entry: 'request', ...request })
      if (isDeferred(request.kind)) return true
      const answer = { ok: true as const, value: encodeValue(666) }
      second.journal.push({ entry: 'answer', n: request.n, answer })
      this.#send({ t: 'answer', id, n: request.n, answer })
      return true
    }
    if (frame.t === 'journals') void this.#sign(frame)
    return idsIn(frame).some((id) => id >= OTHER_IDS)
  }

  #again(invoke: FrameOf<'invoke'>): void {
    for (const [i, { id, epoch, journal }] of invoke.items.entries()) {
      const invocation = invoke.signed.payloads[i] as Uint8Array
      this.#seconds.set(OTHER_IDS + id, { invocation, epoch, journal: [...journal] })
      this.#invokes.delete(id)
    }
    this.#send({ ...invoke, items: invoke.items.map((item) => ({ ...item, id: OTHER_IDS + item.id })) })
  }

  async #sign({ items }: FrameOf<'journals'>): Promise<void> {
    const { crypto, signer, network } = this.#ports
    for (const { id } of items) {
      const second = this.#seconds.get(id)
      if (!second) continue
      const invocation = recordCid(crypto, second.invocation)
      const journal = headOf(crypto, invocation, second.journal)
      const payload = headBytes({ invocation, epoch: second.epoch, journal })
      const heads = await signBatch(crypto, signer, network.peerId, 'journal-head', [payload])
      this.#send({ t: 'heads', ids: [id], signed: batchOf(heads) })
    }
  }

  #send(frame: PeerFrame): void {
    this.#channel.send(PeerFrame.encode(frame))
  }
}

const idsIn = (frame: PeerFrame): number[] => {
  if ('ids' in frame) return frame.ids
  return 'items' in frame ? frame.items.map(({ id }) => id) : []
}

const twoFaced = (channel: Channel, ports: Ports): Channel => {
  const between = new TwoFacedChannel(channel, ports)
  return {
    ...delegated(channel),
    send: (bytes) => {
      const more = channel.send(bytes)
      between.sent(PeerFrame.decode(bytes))
      return more
    },
    receive: ({ frame, closed }) =>
      channel.receive({
        frame: (bytes) => (between.heard(PeerFrame.decode(bytes)) ? undefined : frame(bytes)),
        closed,
      }),
  }
}

/**
 * The ports of a home that has each item performed twice under one epoch, answers its requests otherwise the second time,
 * and signs both journals: it could show either.
 */
export const twoFacedHome = (ports: Ports): Ports => withChannels(ports, (channel) => twoFaced(channel, ports))
