/** Measured round trips between machines, from a file: who uses a world may have better figures than its model. */
import { MeshError } from '../protocol/errors.ts'
import { deriveSeed, seededRandom } from './random.ts'

export interface RttMatrix {
  readonly size: number
  /** Row by row: size × size. */
  readonly roundTripMs: Float64Array
}

const refused = (what: string) =>
  new MeshError('E_USAGE', `${what}; a matrix of round trips has as many lines as each line has numbers, in ms`)

/** `text`: a line for each machine, its round trips to all of them in ms, apart by tabs, blanks or commas. Throws E_USAGE. */
export const parseRttMatrix = (text: string): RttMatrix => {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  const size = lines.length
  if (size < 2) throw refused(`${size} lines are no matrix`)
  const roundTripMs = new Float64Array(size * size)
  for (const [row, line] of lines.entries()) {
    const fields = line.trim().split(/[\s,]+/)
    if (fields.length !== size)
      throw refused(`line ${row + 1} has ${fields.length} numbers, and there are ${size} lines`)
    for (const [column, field] of fields.entries()) {
      const ms = Number(field)
      if (!(ms >= 0 && ms < 60_000)) throw refused(`line ${row + 1}: "${field}" is no round trip from 0 to 60,000 ms`)
      roundTripMs[row * size + column] = ms
    }
  }
  return { size, roundTripMs }
}

/** One-way delays, ms, between peers that sit at machines of `matrix`, each at another one as far as these go. */
export const matrixDelays = (seed: number, { size, roundTripMs }: RttMatrix) => {
  const random = seededRandom(deriveSeed(seed, 'rows of the matrix'))
  const free: number[] = []
  const rows = new Map<string, number>()
  const rowOf = (name: string): number => {
    const known = rows.get(name)
    if (known !== undefined) return known
    if (free.length === 0) free.push(...Array(size).keys())
    const row = free.splice(random.below(free.length), 1)[0] as number
    rows.set(name, row)
    return row
  }
  return (from: string, to: string): number => {
    if (from === to) return 0
    const [a, b] = [rowOf(from), rowOf(to)]
    return ((roundTripMs[a * size + b] as number) + (roundTripMs[b * size + a] as number)) / 4
  }
}
