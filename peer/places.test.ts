import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkProperty } from '../scripts/test/seed.ts'
import { assign, type Place, type PlaceView, placesOf, whoGoes } from './places.ts'

interface Row {
  ms: number
  lot: number
  place: Place
  ageMs: number
  kept: boolean
  needy: boolean
  probe: boolean
}

const row = (changes: Partial<Row>): Row => ({
  ...{ ms: 10, lot: 0.5, place: 'guest', ageMs: 1e6, kept: false, needy: false, probe: false },
  ...changes,
})

const viewOf = (rows: readonly Row[]): PlaceView => ({
  count: rows.length,
  roundTripMs: (i) => rows[i]!.ms,
  lot: (i) => rows[i]!.lot,
  place: (i) => rows[i]!.place,
  ageMs: (i) => rows[i]!.ageMs,
  isKept: (i) => rows[i]!.kept,
  isNeedy: (i) => rows[i]!.needy,
  isProbe: (i) => rows[i]!.probe,
})

const seatsOf = (rows: readonly Row[], most: number): Place[] => {
  const seats: Place[] = []
  assign(viewOf(rows), placesOf(most), (i, place) => {
    seats[i] = place
  })
  return seats
}

test('places of 64 and of 16', () => {
  expect(placesOf(64)).toEqual({ most: 64, near: 40, far: 16 })
  expect(placesOf(16)).toEqual({ most: 16, near: 10, far: 4 })
})

describe('places', () => {
  test('the nearest are near, of the others those with the lowest lots far, the rest guests', () => {
    const rows = [50, 10, 40, 30, 20, 70, 60, 80].map((ms, i) =>
      row({ ms, lot: [0.1, 0.9, 0.8, 0.7, 0.6, 0.2, 0.5, 0.4][i]! }),
    )
    expect(seatsOf(rows, 8)).toEqual(['near', 'near', 'near', 'near', 'near', 'far', 'guest', 'far'])
  })

  test('whoever is near stays so until another is nearer by a fifth', () => {
    const rows = (ms: number) => [
      ...[1, 2, 3, 4].map((near) => row({ ms: near })),
      row({ ms: 100, place: 'near' }),
      row({ ms }),
    ]
    expect(seatsOf(rows(81), 8)[4]).toBe('near')
    expect(seatsOf(rows(79), 8)[4]).toBe('far')
  })

  test('one that is not yet measured is not near while others are', () => {
    const rows = [Number.POSITIVE_INFINITY, 500, 500, 500, 500, 500].map((ms) => row({ ms }))
    expect(seatsOf(rows, 8)[0]).toBe('far')
  })

  test('for any neighbours: as many near and far as there are places, all seated, and seated again alike', async () => {
    const any = fc.record({
      ms: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.constant(Number.POSITIVE_INFINITY)),
      lot: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
      place: fc.constantFrom<Place>('near', 'far', 'guest'),
    })
    const property = fc.property(fc.array(any, { maxLength: 64 }), fc.constantFrom(16, 64), (some, most) => {
      const rows = some.map(row)
      const seats = seatsOf(rows, most)
      const count = (place: Place) => seats.filter((one) => one === place).length
      const { near, far } = placesOf(most)
      expect(count('near')).toBe(Math.min(rows.length, near))
      expect(count('far')).toBe(Math.min(rows.length - count('near'), far))
      expect(count('guest')).toBe(rows.length - count('near') - count('far'))
      const again = rows.map((one, i) => ({ ...one, place: seats[i]! }))
      expect(seatsOf(again, most)).toEqual(seats)
    })
    await checkProperty('seats', property, { runs: 200 })
  })
})

describe('who goes', () => {
  test.each<[string, Partial<Row>[], boolean, number]>([
    ['nobody who has a place', [{ place: 'near' }, { place: 'far' }], true, -1],
    ['the guest that is there longest', [{ ageMs: 2e5 }, { ageMs: 3e5 }, { ageMs: 1e5 }], false, 1],
    ['nobody whom the owner named or who is at work', [{ kept: true }], true, -1],
    ['nobody yet', [{ ageMs: 59_000 }], false, -1],
    ['one that had little time, if others wait', [{ ageMs: 11_000 }], true, 0],
    ['nobody who had none, though others wait', [{ ageMs: 9000 }], true, -1],
    ['none that needs us, if nobody waits', [{ needy: true }], false, -1],
    ['one that needs us, if others wait', [{ needy: true }], true, 0],
    ['one that needs us last', [{ needy: true, ageMs: 9e5 }, { ageMs: 1e5 }, { needy: true }], true, 1],
    ['one that we only wanted to measure', [{ probe: true, ageMs: 5000 }], false, 0],
  ])('%s', (_name, rows, isPressed, expected) => {
    expect(whoGoes(viewOf(rows.map(row)), isPressed)).toBe(expected)
  })
})
