/** Hops of look-ups over tables of Kademlia, by the rules of the figures that they are compared with. */
import { quickChance } from '../chance.ts'
import { K, Kademlia, type Mesh } from '../kademlia.ts'
import type { Population } from '../population.ts'

/** Of the nearest that are known so many are asked at once, until all of the K nearest have been asked. */
const ALPHA = 10

/** The K nearest to `target` that `node` knows. */
type Closest = (node: number, target: number) => readonly number[]

/** Everybody is there, and keeps. */
export class Crowd {
  readonly size: number
  readonly keys: Uint32Array
  readonly #sorted: Uint32Array
  /** Peers, by their keys. */
  readonly #peers: number[]

  constructor(size: number, seed: number) {
    const random = quickChance(seed)
    this.size = size
    this.keys = Uint32Array.from({ length: size }, () => random.below(2 ** 32))
    this.#peers = Array.from(this.keys.keys()).sort((a, b) => (this.keys[a] as number) - (this.keys[b] as number))
    this.#sorted = Uint32Array.from(this.#peers, (peer) => this.keys[peer] as number)
  }

  distance(peer: number, target: number): number {
    return ((this.keys[peer] as number) ^ target) >>> 0
  }

  /** Those whose keys begin as `key` does, for so many bits. */
  range(key: number, bits: number): { from: number; to: number } {
    const span = 2 ** (32 - bits)
    const low = Math.floor(key / span) * span
    return { from: this.#rank(low), to: this.#rank(low + span) }
  }

  at(rank: number): number {
    return this.#peers[rank] as number
  }

  /** Of all. */
  nearest(target: number): number[] {
    let bits = 32
    while (bits > 0 && this.range(target, bits).to - this.range(target, bits).from < K) bits--
    const { from, to } = this.range(target, bits)
    return this.#peers
      .slice(from, to)
      .sort((a, b) => this.distance(a, target) - this.distance(b, target))
      .slice(0, K)
  }

  #rank(key: number): number {
    let [low, high] = [0, this.size]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#sorted[middle] as number) < key) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** The tables of `kademlia.ts`. */
export const tablesOf = (crowd: Crowd, seed: number): Closest => {
  const mesh: Mesh = { population: {} as Population, reaches: () => true, knew: () => true, isHostile: () => false }
  const kademlia = new Kademlia(mesh, Array.from(crowd.keys.keys()), crowd.keys, seed)
  return (node, target) => kademlia.closest(node, target)
}

/**
 * Of each bucket K are known, always the same ones; all of one with no more than `whole`. A bucket is what shares so many bits with a
 * peer and no more, but what shares `depth` bits is never told apart.
 */
export const bucketsOf = (crowd: Crowd, seed: number, { whole, depth }: { whole: number; depth: number }): Closest => {
  const sampled = (node: number, key: number, bits: number, known: Set<number>) => {
    const { from, to } = crowd.range(key, bits)
    if (to - from <= whole) {
      for (let rank = from; rank < to; rank++) known.add(crowd.at(rank))
      return
    }
    const { below } = quickChance(
      Math.imul(seed ^ Math.imul(node, 0x9e3779b1), 0x27d4eb2d) ^ Math.floor(key / 2 ** (32 - bits)) ^ bits,
    )
    for (let drawn = new Set<number>(); drawn.size < K; ) {
      const peer = crowd.at(from + below(to - from))
      drawn.add(peer)
      known.add(peer)
    }
  }
  return (node, target) => {
    const key = crowd.keys[node] as number
    const shared = Math.min(Math.clz32(key ^ target), depth)
    const known = new Set<number>()
    sampled(node, target, Math.min(shared + 1, depth), known)
    if (known.size < K && shared < depth) sampled(node, key, shared + 1, known)
    for (let bits = shared; bits > 0 && known.size < K; bits--)
      sampled(node, (key ^ (2 ** (32 - bits))) >>> 0, bits, known)
    known.delete(node)
    return [...known].sort((a, b) => crowd.distance(a, target) - crowd.distance(b, target)).slice(0, K)
  }
}

/** The most hops after which one of the K nearest was first told of, and which they are. */
const lookUp = (crowd: Crowd, closest: Closest, seeker: number, target: number) => {
  const found = closest(seeker, target).map((peer) => ({ peer, hop: 1, isAsked: false }))
  // Not the seeker, which others may tell of.
  const known = new Set(found.map(({ peer }) => peer))
  for (;;) {
    found.sort((a, b) => crowd.distance(a.peer, target) - crowd.distance(b.peer, target))
    const next = found.slice(0, K).filter(({ isAsked }) => !isAsked)
    if (next.length === 0) break
    for (const one of next.slice(0, ALPHA)) {
      one.isAsked = true
      for (const peer of closest(one.peer, target)) {
        if (known.has(peer)) continue
        known.add(peer)
        found.push({ peer, hop: one.hop + 1, isAsked: false })
      }
    }
  }
  const nearest = found.slice(0, K)
  return { hops: Math.max(...nearest.map(({ hop }) => hop)), peers: nearest.map(({ peer }) => peer) }
}

export interface Hops {
  mean: number
  /** Of the mean. */
  standardError: number
  /** Of those that are nearest of all, the share that is found. */
  recall: number
}

export const hopsOf = (crowd: Crowd, closest: Closest, lookups: number, seed: number): Hops => {
  const { below } = quickChance(seed)
  let [sum, squares, right] = [0, 0, 0]
  for (let i = 0; i < lookups; i++) {
    const [seeker, target] = [below(crowd.size), below(2 ** 32)]
    const { hops, peers } = lookUp(crowd, closest, seeker, target)
    const nearest = new Set(crowd.nearest(target))
    sum += hops
    squares += hops ** 2
    right += peers.filter((peer) => nearest.has(peer)).length / K
  }
  const mean = sum / lookups
  return { mean, standardError: Math.sqrt((squares / lookups - mean ** 2) / lookups), recall: right / lookups }
}
