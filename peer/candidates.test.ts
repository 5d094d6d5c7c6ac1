import { expect, test } from 'vitest'
import { Candidates } from './candidates.ts'
import { createExperience } from './experience.ts'
import type { NeighbourTable } from './neighbours.ts'
import type { Pursuit } from './pursuit.ts'
import { WINDOW_BYTES_MAX, WINDOW_MAX } from './window.ts'

const INPUT_BYTES = 100

const hasRoom = (there: { inFlight: number; waiting: number; inFlightBytes?: number }): boolean => {
  const quiet = { shunnedUntilMs: 0, silentUntilMs: 0, roundTripMs: 1, slowness: 1, inFlightBytes: 0 }
  const one = { ...quiet, advertisement: { slots: 2 }, ...there }
  const candidates = new Candidates({ all: () => [one] } as unknown as NeighbourTable, createExperience())
  const item = { functionId: 'f', request: { input: new Uint8Array(INPUT_BYTES) } }
  candidates.pursuit = { item, needsNoPlace: false } as unknown as Pursuit
  return candidates.hasRoom(0)
}

test('those that wait for their home leave room for others, up to what one peer may keep at an executor', () => {
  // Two a slot, of a function that has not ended yet.
  expect([3, 4].map((inFlight) => hasRoom({ inFlight, waiting: 0 }))).toEqual([true, false])
  expect([3, 4].map((more) => hasRoom({ inFlight: 1000 + more, waiting: 1000 }))).toEqual([true, false])
  expect([WINDOW_MAX - 1, WINDOW_MAX].map((inFlight) => hasRoom({ inFlight, waiting: inFlight }))).toEqual([
    true,
    false,
  ])
  const full = WINDOW_BYTES_MAX - INPUT_BYTES
  expect([full, full + 1].map((inFlightBytes) => hasRoom({ inFlight: 9, waiting: 9, inFlightBytes }))).toEqual([
    true,
    false,
  ])
})
