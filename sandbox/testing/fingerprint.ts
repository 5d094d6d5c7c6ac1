/** By which the memories of engines are compared: many gigabytes in a suite. Chance makes no two alike; who means to, may. */
import type { Engine } from '../engine.ts'
import { type Region, usedRegions } from '../image.ts'

const [ONE, OTHER] = [0x9e3779b1 | 0, 0x85ebca77 | 0]

const hex = (word = 0): string => (word >>> 0).toString(16).padStart(8, '0')

/** Takes in `words[from]` to `words[to - 1]`. */
const mix = (sums: Int32Array, words: Int32Array, from: number, to: number): void => {
  let [one = 0, other = 0] = sums
  for (let i = from; i < to; i++) {
    const word = words[i] as number
    one = Math.imul(one ^ word, ONE)
    one = (one << 13) | (one >>> 19)
    other = Math.imul(other ^ word, OTHER)
    other = (other << 17) | (other >>> 15)
  }
  sums.set([one, other])
}

/** Of the words of `regions`, where they are, and `head`. Each step can be undone, so that one changed word always shows. */
export const fingerprint = (words: Int32Array, regions: readonly Region[], head: readonly number[]): string => {
  const sums = Int32Array.of(1, 2)
  mix(sums, Int32Array.from(head), 0, head.length)
  for (const { at, end } of regions) {
    mix(sums, Int32Array.of(at), 0, 1)
    mix(sums, words, at >>> 2, end >>> 2)
  }
  return hex(sums[0]) + hex(sums[1])
}

/** Equal for engines whose memoryState is. `end`: from where on nothing is looked at. */
export const engineFingerprint = ({ bytes, exports }: Engine, end: number = bytes.length): string =>
  fingerprint(new Int32Array(bytes.buffer), usedRegions(bytes, end), [bytes.length, exports.stackPointer()])
