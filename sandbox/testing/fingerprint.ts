/** By which the memories of engines are compared: many gigabytes in a suite. Chance makes no two alike; who means to, may. */
import type { Engine } from '../engine.ts'
import { type Region, usedRegions } from '../image.ts'

const [ONE, OTHER] = [0x9e3779b1, 0x85ebca77]

const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, '0')

/** Of the words of `regions`, where they are, and `head`. Each step can be undone, so that one changed word always shows. */
export const fingerprint = (words: Int32Array, regions: readonly Region[], head: readonly number[]): string => {
  let [one, other] = [1, 2]
  const take = (word: number) => {
    one = Math.imul(one ^ word, ONE)
    one = (one << 13) | (one >>> 19)
    other = Math.imul(other ^ word, OTHER)
    other = (other << 17) | (other >>> 15)
  }
  for (const word of head) take(word)
  for (const { at, end } of regions) {
    take(at)
    for (let i = at / 4; i < end / 4; i++) take(words[i] as number)
  }
  return hex(one) + hex(other)
}

/** Equal for engines whose memoryState is. `end`: from where on nothing is looked at. */
export const engineFingerprint = ({ bytes, exports }: Engine, end: number = bytes.length): string =>
  fingerprint(new Int32Array(bytes.buffer), usedRegions(bytes, end), [bytes.length, exports.stackPointer()])
