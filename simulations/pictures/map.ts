/** The tables that a map is drawn from: where peers are, and the calls between them. */
import { onMap, type Point } from '../places.ts'
import type { Table, WorldMap } from './pictures.ts'

export const CALLS_LEGEND: WorldMap['legend'] = {
  ...{ asks: 'asks, and its call', others: 'only lends', between: 'computes', answer: 'an answer' },
}

/** `asks` is asked with the index of each. */
export const placesTable = (points: readonly Point[], asks: (peer: number) => boolean): Table => {
  const spots = points.map(onMap)
  return {
    latitude_degrees: spots.map(({ latitude }) => latitude),
    longitude_degrees: spots.map(({ longitude }) => longitude),
    asks: points.map((_, peer) => Number(asks(peer))),
  }
}

export interface Travelled {
  /** Indices of places. */
  from: number
  to: number
  askedMs: number
  answeredMs: number
  /** One way. */
  travelMs: number
}

export const callsTable = (calls: readonly Travelled[]): Table => ({
  from: calls.map(({ from }) => from),
  to: calls.map(({ to }) => to),
  asked_s: calls.map(({ askedMs }) => askedMs / 1000),
  answered_s: calls.map(({ answeredMs }) => answeredMs / 1000),
  travel_s: calls.map(({ travelMs }) => travelMs / 1000),
})
