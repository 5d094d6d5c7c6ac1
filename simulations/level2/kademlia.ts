/**
 * The tables and look-ups of @libp2p/kad-dht 16.4.5, as `node/dht.ts` sets it up, over a population that stands still meanwhile:
 * leaves of k peers split down to a bounded depth, disjoint paths of some requests each, a walk that ends where nobody nearer is
 * told of. Distance is that of the first 32 bits of a key.
 */
import { INTRODUCE_MS_MAX, TABLE_DEPTH_MAX, WALK_ALPHA, WALK_PATHS } from '../../peer/provider-keys.ts'
import { type Chance, quickChance } from './chance.ts'
import type { Population } from './population.ts'
import { msOf } from './wheel.ts'

/** Peers of a leaf, keepers of a record, and peers that an answer tells of. */
export const K = 20
/** A leaf that is not full is made from so many draws at most. */
const DRAWS = 4 * K
/**
 * TCP, the choice of noise, noise with that of the muxer, the choice of Wayside's stream, with which the other's hello comes, and
 * our hello with the other's welcome. `node/round-trips.process.test.ts` counts them on real peers.
 */
export const CONNECT_ROUND_TRIPS = 5
/** The choice of the directory's stream, and the question. */
const ASK_ROUND_TRIPS = 2

export interface Mesh {
  population: Population
  /** Does a packet get there? The two are there, and nothing lies between them. */
  reaches(from: number, to: number): boolean
  /** Was a keeper there, and in reach, when `node` filled its table? */
  knew(node: number, keeper: number): boolean
  /** Answers look-ups with its like, and keeps nothing. */
  isHostile(keeper: number): boolean
}

interface Question {
  node: number
  distance: number
  /** Of the one who told of it, plus one. */
  hop: number
}

interface Asked extends Question {
  path: Path
  atMs: number
  answers: boolean
}

class Path {
  readonly queue: Question[] = []
  /** Distances of those that have answered, nearest first; K at most. */
  readonly closest: number[] = []
  running = 0

  canAdd(distance: number): boolean {
    return this.closest.length < K || distance < (this.closest[K - 1] as number)
  }

  answered(distance: number): void {
    this.closest.push(distance)
    this.closest.sort((a, b) => a - b)
    if (this.closest.length > K) this.closest.pop()
  }

  next(): Question | undefined {
    let best = 0
    for (const [i, one] of this.queue.entries()) if (one.distance < (this.queue[best] as Question).distance) best = i
    return this.queue.splice(best, 1)[0]
  }
}

/** One that has answered. */
export interface Step {
  node: number
  distance: number
  hop: number
  /** Since the walk began. */
  atMs: number
}

export class Kademlia {
  readonly #mesh: Mesh
  /** Keepers by their key, and the keys, ascending. */
  readonly #keepers: Int32Array
  readonly #keys: Uint32Array
  /** By peer. */
  readonly #keyOf: Uint32Array
  /** Those nearest to what was sought last come first. */
  readonly #hostile: number[] = []
  #sought = Number.NaN
  readonly #seed: number

  /** `keys`: of each peer. */
  constructor(mesh: Mesh, keepers: readonly number[], keys: Uint32Array, seed: number) {
    this.#mesh = mesh
    this.#seed = seed
    const sorted = keepers.toSorted((a, b) => (keys[a] as number) - (keys[b] as number) || a - b)
    this.#keepers = Int32Array.from(sorted)
    this.#keys = Uint32Array.from(sorted, (peer) => keys[peer] as number)
    this.#keyOf = keys
    for (const peer of sorted) if (mesh.isHostile(peer)) this.#hostile.push(peer)
  }

  /**
   * Asks from `seeker` on for what is nearest to `target`, with whom hands are shaken already but for `met`. Yields who
   * answers, in order of time; returns after how many ms nobody is left to ask.
   */
  *walk(seeker: number, target: number, met: Set<number>): Generator<Step, number> {
    const paths = Array.from({ length: WALK_PATHS }, () => new Path())
    const seen = new Set<number>([seeker])
    const under: Asked[] = []
    for (const [i, node] of this.closest(seeker, target).entries()) {
      seen.add(node)
      paths[i % paths.length]?.queue.push({ node, distance: this.#distance(node, target), hop: 1 })
    }
    let nowMs = 0
    for (;;) {
      for (const path of paths) this.#ask(path, seeker, nowMs, met, under)
      if (under.length === 0) return nowMs
      let first = 0
      for (const [i, one] of under.entries()) if (one.atMs < (under[first] as Asked).atMs) first = i
      const [asked] = under.splice(first, 1) as [Asked]
      const { node, distance, hop, path } = asked
      nowMs = asked.atMs
      path.running--
      if (!asked.answers) continue
      met.add(node)
      path.answered(distance)
      for (const closer of this.#told(node, target)) {
        if (seen.has(closer)) continue
        const its = this.#distance(closer, target)
        if (its >= distance || !path.canAdd(its)) continue
        seen.add(closer)
        path.queue.push({ node: closer, distance: its, hop: hop + 1 })
      }
      yield { node, distance, hop, atMs: nowMs }
    }
  }

  /** The K nearest to `target` that the table of `node` holds. */
  closest(node: number, target: number): number[] {
    const apart = Math.clz32((this.#keyOf[node] as number) ^ target)
    const known = new Set<number>()
    for (let depth = Math.min(apart + 1, TABLE_DEPTH_MAX); depth >= 0 && known.size < K; depth--) {
      this.#leaf(node, target, depth, known)
    }
    return [...known].sort((a, b) => this.#distance(a, target) - this.#distance(b, target)).slice(0, K)
  }

  #told(node: number, target: number): number[] {
    if (!this.#mesh.isHostile(node)) return this.closest(node, target)
    if (this.#sought !== target) {
      this.#sought = target
      this.#hostile.sort((a, b) => this.#distance(a, target) - this.#distance(b, target))
    }
    return this.#hostile.slice(0, K)
  }

  #ask(path: Path, seeker: number, nowMs: number, met: ReadonlySet<number>, under: Asked[]): void {
    const { population } = this.#mesh
    while (path.running < WALK_ALPHA && path.queue.length > 0) {
      const next = path.next() as Question
      if (!path.canAdd(next.distance)) continue
      const roundTripMs = 2 * msOf(population.delayTicks(seeker, next.node))
      const connectMs = met.has(next.node) ? 0 : CONNECT_ROUND_TRIPS * roundTripMs
      const answers = this.#mesh.reaches(seeker, next.node) && connectMs < INTRODUCE_MS_MAX
      const tookMs = answers ? connectMs + ASK_ROUND_TRIPS * roundTripMs : INTRODUCE_MS_MAX
      under.push({ ...next, path, answers, atMs: nowMs + tookMs })
      path.running++
    }
  }

  /** Of those below the prefix of `target` of that length, K that `node` met first: always the same ones. */
  #leaf(node: number, target: number, depth: number, known: Set<number>): void {
    const mask = depth === 0 ? 0 : (0xffffffff << (32 - depth)) >>> 0
    const low = (target & mask) >>> 0
    const from = this.#rank(low)
    const to = depth === 0 ? this.#keys.length : this.#rank(low + 2 ** (32 - depth))
    const add = (i: number) => {
      const keeper = this.#keepers[i] as number
      if (keeper !== node && this.#mesh.knew(node, keeper)) known.add(keeper)
    }
    const count = to - from
    if (count <= 2 * K) {
      for (let i = from; i < to; i++) add(i)
      return
    }
    const chance = this.#chanceOf(node, low, depth)
    for (let draw = 0; draw < DRAWS && known.size < K; draw++) add(from + chance.below(count))
  }

  #chanceOf(node: number, low: number, depth: number): Chance {
    return quickChance(Math.imul(this.#seed ^ Math.imul(node, 0x9e3779b1), 0x85ebca6b) ^ low ^ depth)
  }

  /** The first whose key is not below. */
  #rank(key: number): number {
    let [low, high] = [0, this.#keys.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#keys[middle] as number) < key) low = middle + 1
      else high = middle
    }
    return low
  }

  #distance(keeper: number, target: number): number {
    return ((this.#keyOf[keeper] as number) ^ target) >>> 0
  }
}
