/** What peers of a world say to each other, by kind of frame: counted as it is sent, or as it arrives, and not touched. */
import { PeerFrame } from '../../protocol/frames.ts'
import type { Channel, Clock, Ports } from '../../protocol/ports.ts'
import { delegated, withChannels } from '../channels.ts'
import { binned, type Instant, type Plot, secondsOf, type Table } from './pictures.ts'

/** Lines that can be told from each other. */
const LINES_MAX = 6

const sumOf = (figures: readonly number[]): number => figures.reduce((sum, one) => sum + one, 0)

export class Traffic {
  readonly #sent = new Map<string, Instant[]>()

  /** `ports`, whose peer is listened to. */
  over(ports: Ports): Ports {
    return withChannels(ports, (channel) => this.#listen(channel, ports.clock))
  }

  hear(bytes: Uint8Array, atMs: number): void {
    const { t } = PeerFrame.decode(bytes)
    const sent = this.#sent.get(t)
    if (sent) sent.push({ atMs, amount: bytes.length })
    else this.#sent.set(t, [{ atMs, amount: bytes.length }])
  }

  /** Bytes a second of each kind, in intervals between the two times; those kinds come first that weigh most. */
  table(fromMs: number, toMs: number, everyMs = 1000): Table {
    const count = Math.ceil((toMs - fromMs) / everyMs)
    const kinds = [...this.#sent].map(([kind, sent]): [string, number[]] => [
      `${kind}_bytes_per_s`,
      binned(sent, fromMs, everyMs, count).map((bytes) => (bytes * 1000) / everyMs),
    ])
    kinds.sort(([a, some], [b, others]) => sumOf(others) - sumOf(some) || (a < b ? -1 : 1))
    return { at_s: secondsOf(everyMs, count), ...Object.fromEntries(kinds) }
  }

  #listen(channel: Channel, clock: Clock): Channel {
    return {
      ...delegated(channel),
      send: (bytes) => {
        this.hear(bytes, clock.monotonic())
        return channel.send(bytes)
      },
    }
  }
}

export const trafficPlot = (traffic: Table): Plot => ({
  title: 'Traffic by kind',
  about: 'Bytes of the frames that all peers together send, by their kind: those that weigh most; the table has all.',
  ...{ table: 'traffic', x: { column: 'at_s', label: 'time, s' }, y: 'bytes a second' },
  lines: Object.keys(traffic)
    .slice(1, 1 + LINES_MAX)
    .map((column) => ({ column, label: column.replace('_bytes_per_s', '') })),
  as: 'steps',
})
