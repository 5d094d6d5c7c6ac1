/** Measures the round trips to neighbours, and moves this peer's coordinate by them. */
import type { FrameOf } from '../protocol/frames.ts'
import type { Ports } from '../protocol/ports.ts'
import type { Coordinate } from '../protocol/records.ts'
import { moved, unknownCoordinate } from './coordinates.ts'
import type { Link } from './link.ts'
import type { Neighbour } from './neighbours.ts'

/**
 * A median of the last few, as in Ledlie, Gardner, Seltzer, "Network coordinates in the wild", 2007: one answer that was
 * late, on purpose or not, moves nothing. As many are taken at once of a newcomer as make a median.
 */
const SAMPLES_MAX = 5
const SAMPLES_FIRST = 3

/** `samples`, the newest last, with one more and none that is too old. */
export const withSample = (samples: readonly number[], ms: number): number[] => [...samples.slice(1 - SAMPLES_MAX), ms]

/** The lower one of two in the middle: what delays a packet only ever adds. */
export const medianOf = (samples: readonly number[]): number =>
  samples.toSorted((a, b) => a - b)[(samples.length - 1) >> 1] ?? 0

export class RoundTrips {
  readonly #ports: Pick<Ports, 'clock' | 'random'>
  /** The last to each that has not been answered. */
  readonly #pings = new WeakMap<Link, { id: number; sentMs: number }>()
  #nextPing = 0
  #coordinate = unknownCoordinate()

  constructor(ports: Pick<Ports, 'clock' | 'random'>) {
    this.#ports = ports
  }

  get coordinate(): Coordinate {
    return this.#coordinate
  }

  /** Whoever has not answered since the last time is not waited for any more. */
  measure({ link }: Neighbour): void {
    const id = this.#nextPing++
    this.#pings.set(link, { id, sentMs: this.#ports.clock.monotonic() })
    link.send({ t: 'ping', id })
  }

  onPing({ link }: Neighbour, { id }: FrameOf<'ping'>): void {
    link.send({ t: 'pong', id, coordinate: this.#coordinate })
  }

  /** A stranger's word of where it is moves nobody. */
  onPong(neighbour: Neighbour, { id, coordinate }: FrameOf<'pong'>): void {
    const sent = this.#pings.get(neighbour.link)
    if (sent?.id !== id) return
    this.#pings.delete(neighbour.link)
    neighbour.roundTrips = withSample(neighbour.roundTrips, this.#ports.clock.monotonic() - sent.sentMs)
    neighbour.roundTripMs = medianOf(neighbour.roundTrips)
    if (neighbour.member) {
      const { random } = this.#ports
      this.#coordinate = moved(this.#coordinate, coordinate, neighbour.roundTripMs, (limit) => random.below(limit))
    }
    if (neighbour.roundTrips.length < SAMPLES_FIRST) this.measure(neighbour)
  }
}
