/** The cell of the coordinate space that each place is in, as its peers would find it by measuring. */
import { cellOf, moved, unknownCoordinate } from '../../peer/coordinates.ts'
import type { Chance } from './chance.ts'
import type { Geography } from './geography.ts'

/** Of the coordinates by which cells are told apart: places that each has measured, and how often. */
const MEASURED = 16
const ROUNDS = 16

/** The cell of each place, from 1 on, and how many there are with that for all. */
export const cellsOf = ({ size, delayMs }: Geography, random: Chance) => {
  const coordinates = Array.from({ length: size }, unknownCoordinate)
  for (let round = 0; round < ROUNDS * MEASURED; round++) {
    for (let place = 0; place < size; place++) {
      const other = random.below(size)
      if (other === place) continue
      const [own, theirs] = [coordinates[place], coordinates[other]] as [ReturnType<typeof unknownCoordinate>, never]
      coordinates[place] = moved(own, theirs, 2 * (delayMs[place * size + other] as number), random.below)
    }
  }
  const numbers = new Map<string, number>()
  const cells = coordinates.map((coordinate) => {
    const cell = cellOf(coordinate)
    const number = numbers.get(cell) ?? numbers.size + 1
    numbers.set(cell, number)
    return number
  })
  return { cells, count: numbers.size + 1 }
}
