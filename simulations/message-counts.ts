/** How much peers say to each other, by kind: as the real ones count it, so does a world. */
import { PeerFrame } from '../protocol/frames.ts'
import type { Ports } from '../protocol/ports.ts'
import { delegated, withChannels } from './channels.ts'

/** By kind of frame: what was sent, each item of a frame that carries several for itself. */
export type Counts = Readonly<Record<string, number>>

const itemsOf = (frame: PeerFrame): number => {
  if ('items' in frame) return frame.items.length
  return 'ids' in frame ? frame.ids.length : 1
}

export const totalOf = (counts: Counts): number => Object.values(counts).reduce((sum, one) => sum + one, 0)

/** What is in `later` beyond `earlier`. */
export const countsBetween = (earlier: Counts, later: Counts): Counts =>
  Object.fromEntries(Object.entries(later).map(([kind, count]) => [kind, count - (earlier[kind] ?? 0)]))

export const countsTogether = (all: readonly Counts[]): Counts => {
  const together: Record<string, number> = {}
  for (const counts of all)
    for (const [kind, count] of Object.entries(counts)) together[kind] = (together[kind] ?? 0) + count
  return together
}

/** Counts for any number of peers. */
export class MessageCounts {
  readonly #sent: Record<string, number> = {}

  /** Until now. */
  get sent(): Counts {
    return { ...this.#sent }
  }

  /** `ports`, whose peer is listened to. */
  over(ports: Ports): Ports {
    return withChannels(ports, (channel) => ({
      ...delegated(channel),
      send: (bytes) => {
        const frame = PeerFrame.decode(bytes)
        this.#sent[frame.t] = (this.#sent[frame.t] ?? 0) + itemsOf(frame)
        return channel.send(bytes)
      },
    }))
  }
}
