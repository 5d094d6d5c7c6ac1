/** lru-cache: the partitions of a number, remembered within bounds. */
import { LRUCache } from 'lru-cache'

export default function partitions({ n, max }: { n: number; max: number }) {
  let evicted = 0
  const known = new LRUCache<string, number>({ max, dispose: () => void evicted++ })
  const count = (rest: number, largest: number): number => {
    if (rest === 0) return 1
    if (rest < 0 || largest === 0) return 0
    const key = `${rest},${largest}`
    const found = known.get(key) ?? count(rest - largest, largest) + count(rest, largest - 1)
    known.set(key, found)
    return found
  }
  return { partitions: count(n, n), size: known.size, evicted: evicted > 0 }
}
