/** Who is found in the directory of a mesh of a million, how soon and by how many hops: peers come and go, and renew records. */
import { cellOf, moved, unknownCoordinate } from '../../peer/coordinates.ts'
import { REMEMBERED_AT_ONCE } from '../../peer/discovery.ts'
import { DIAL_TIMEOUT_MS } from '../../peer/network/limits.ts'
import { CROWD, LEVEL_MAX, SPARSE } from '../../peer/provider-keys.ts'
import { FIRST_ROUND_MS, PROVIDE_MS_MAX, ROUND_MS, WALK_MS_MAX } from '../../peer/provider-rounds.ts'
import { NEIGHBOURS_MAX } from '../../protocol/limits.ts'
import { deriveSeed } from '../random.ts'
import type { RttMatrix } from '../rtt-matrix.ts'
import { type Chance, quickChance } from './chance.ts'
import { type Geography, matrixGeography, modelGeography } from './geography.ts'
import { CONNECT_ROUND_TRIPS, K, Kademlia, type Step } from './kademlia.ts'
import { Population } from './population.ts'
import { keyIn, ProviderRecords, roundTicks } from './provider-records.ts'
import { type Handler, msOf, ticksOf, Wheel } from './wheel.ts'

export interface Discovering {
  /** 32 bits. */
  seed: number
  peers: number
  rtts?: RttMatrix | undefined
  /** Of 1,000 keepers, how many answer with their like and keep nothing. */
  hostilePermille?: number
  /** So many more of these sit nearest to each key under which peers of the first place look first. */
  aimed?: number
}

/** One look-up by a peer that knows nobody who offers what it needs. */
export interface Look {
  seeker: number
  /** With whom hands are shaken first; undefined: nobody. */
  first: number | undefined
  /** Records that it brought, and those of them whose peers are there. */
  records: number
  live: number
  /** Until hands are shaken with the first that is there, and by how many hops it was heard of; Infinity: none was. */
  firstMs: number
  hops: number
  /** Until the look-up was over. */
  endMs: number
  /** Keepers that answered, and those with whom hands were shaken first. */
  answers: number
  handshakes: number
}

const ANYWHERE_CELL = 0
const EVENT = { turn: 0, round: 1 } as const
/** Of the coordinates by which cells are told apart: places that each has measured, and how often. */
const MEASURED = 16
const ROUNDS = 16

/** The cell of each place, from 1 on, and how many there are with that for all. */
const cellsOf = ({ size, delayMs }: Geography, random: Chance) => {
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

/** The same number in [0, 2^32) for the same two: MurmurHash3's finaliser. */
const mixed = (a: number, b: number): number => {
  let hash = Math.imul(a, 0x9e3779b1) ^ b
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

export class DiscoveryWorld {
  readonly population: Population
  readonly wheel = new Wheel(1024)
  readonly records: ProviderRecords
  readonly #cells: readonly number[]
  readonly #cellCount: number
  readonly #random: Chance
  readonly #seed: number
  /** Where each is in the directory. */
  readonly #keys: Uint32Array
  readonly #kademlia: Kademlia
  /** Of each peer; anything else is of an earlier session. */
  readonly #roundAt: Uint32Array
  /** Half of all places is cut off from the others from one instant to another, in ticks. */
  #cutAt = Number.POSITIVE_INFINITY
  #healedAt = Number.POSITIVE_INFINITY
  /** When what is looked at happened. */
  #seenAt = 0
  readonly #hostile: Uint8Array
  #keptBy = new Map<number, Map<number, number[]>>()

  constructor({ seed, peers, rtts, hostilePermille = 0, aimed = 0 }: Discovering) {
    const random = (name: string) => quickChance(deriveSeed(seed, name))
    const geography = rtts ? matrixGeography(rtts) : modelGeography(random('places'))
    const { cells, count } = cellsOf(geography, random('cells'))
    this.#seed = seed
    this.#random = random('events')
    this.#cells = cells
    this.#cellCount = count
    this.population = new Population(peers, geography, random('peers'))
    // Keys of each half, while they are apart.
    this.records = new ProviderRecords(peers, 2 * count, random('shards'))
    const ids = random('keys')
    this.#keys = Uint32Array.from({ length: peers }, () => ids.below(2 ** 32))
    const hostile = random('hostile')
    this.#hostile = Uint8Array.from({ length: peers }, () => (hostile.below(1000) < hostilePermille ? 1 : 0))
    this.#roundAt = new Uint32Array(peers)
    this.#populate(random('sessions'))
    this.#kademlia = this.#directory(aimed)
  }

  get bytes(): number {
    return this.population.bytes + this.wheel.bytes + this.records.bytes + 9 * this.population.size
  }

  runMs(ms: number): void {
    const handlers: Handler[] = [(peer) => this.#turn(peer), (peer) => this.#round(peer)]
    this.wheel.run(this.wheel.now + ticksOf(ms), handlers)
    this.#keptBy.clear()
  }

  cut(): void {
    this.#cutAt = this.wheel.now
    this.#healedAt = Number.POSITIVE_INFINITY
    this.#keptBy.clear()
  }

  heal(): void {
    this.#healedAt = this.wheel.now
    this.#keptBy.clear()
  }

  /** One that carries the directory, and is there or not, drawn by chance from all, or from those of the first place. */
  seeker(random: Chance, isThere = true, ofFirstPlace = false): number {
    const { population } = this
    for (;;) {
      const peer = random.below(ofFirstPlace ? population.firstOf(1) : population.size)
      if ((population.online[peer] === 1) === isThere && population.deviceOf(peer).carriesDirectory) return peer
    }
  }

  /**
   * Ms until `peer`, which comes back now and knows no address but those of members that it met, has shaken hands with one of
   * them: as `peer/discovery.ts` dials them, some at a time.
   */
  rejoinMs(peer: number, random: Chance): number {
    const { population } = this
    for (let round = 0; ; round++) {
      let firstMs = Number.POSITIVE_INFINITY
      for (let i = 0; i < REMEMBERED_AT_ONCE; i++) {
        const member = this.#member(peer, random, i % 2 === 0)
        if (population.online[member] === 0) continue
        firstMs = Math.min(firstMs, 2 * CONNECT_ROUND_TRIPS * msOf(population.delayTicks(peer, member)))
      }
      if (firstMs < Number.POSITIVE_INFINITY) return round * DIAL_TIMEOUT_MS + firstMs
    }
  }

  /** One that can be dialled and was there when `peer` left; a near one, if there is any in its place. */
  #member(peer: number, random: Chance, isNear: boolean): number {
    const { population } = this
    const place = population.place[peer] as number
    const [first, next] = [population.firstOf(place), population.firstOf(place + 1)]
    for (let draw = 0; ; draw++) {
      const fromPlace = isNear && draw < next - first
      const member = fromPlace ? first + random.below(next - first) : random.below(population.size)
      if (population.canBeDialled(member) && population.deviceOf(member).carriesDirectory && this.#knew(peer, member)) {
        return member
      }
    }
  }

  /** As `ProviderRounds.find` looks: in the peer's cell, and if that brings too little, anywhere. `random` draws the keys. */
  look(seeker: number, random = this.#random): Look {
    const look: Look = {
      ...{
        seeker,
        first: undefined,
        records: 0,
        live: 0,
        firstMs: Number.POSITIVE_INFINITY,
        hops: 0,
        endMs: 0,
        answers: 0,
        handshakes: 0,
      },
    }
    const [met, found] = [new Set<number>(), new Set<number>()]
    for (const cell of [this.#cellOf(seeker), ANYWHERE_CELL]) {
      for (let level = 0; level <= LEVEL_MAX && found.size < NEIGHBOURS_MAX; level++) {
        const key = keyIn(cell, level, random.below(2 ** level))
        if (this.#lookUnder(seeker, key, met, found, look) < SPARSE) break
      }
    }
    look.handshakes = met.size
    return look
  }

  #cellOf(peer: number): number {
    return this.#cells[this.population.place[peer] as number] as number
  }

  #side(peer: number): number {
    return (this.population.place[peer] as number) & 1
  }

  #isCutAt(at: number): boolean {
    return at >= this.#cutAt && at < this.#healedAt
  }

  #populate(random: Chance): void {
    const { population, wheel } = this
    for (let peer = 0; peer < population.size; peer++) {
      population.begin(peer, random)
      wheel.after(population.staysTicks(peer, 0, random), EVENT.turn, peer)
      if (population.online[peer] === 1) this.#roundAfter(peer, ticksOf(random.below(ROUND_MS)))
    }
  }

  #aim(keepers: readonly number[], aimed: number): void {
    const cells = [this.#cells[0] as number, ANYWHERE_CELL]
    for (let i = 0; i < aimed * cells.length; i++) {
      const keeper = keepers[this.#random.below(keepers.length)] as number
      this.#keys[keeper] = (this.#targetOf(keyIn(cells[i % cells.length] as number, 0, 0)) ^ i) >>> 0
      this.#hostile[keeper] = 1
    }
  }

  #directory(aimed: number): Kademlia {
    const { population } = this
    const keepers = Array.from({ length: population.size }, (_, peer) => peer).filter(
      (peer) => population.deviceOf(peer).carriesDirectory && population.canBeDialled(peer),
    )
    this.#aim(keepers, aimed)
    const mesh = {
      population,
      reaches: (from: number, to: number) =>
        population.online[to] === 1 && !(this.#isCutAt(this.#seenAt) && this.#side(from) !== this.#side(to)),
      knew: (node: number, keeper: number) => this.#knew(node, keeper),
      isHostile: (keeper: number) => this.#hostile[keeper] === 1,
    }
    return new Kademlia(mesh, keepers, this.#keys, this.#seed)
  }

  /** A full leaf keeps whom it has, so what a table holds is as old as its session. */
  #knew(node: number, keeper: number): boolean {
    const { population } = this
    const since = population.turnedAt[node] as number
    if (this.#isCutAt(since) && this.#side(node) !== this.#side(keeper)) return false
    const turnedAt = population.turnedAt[keeper] as number
    if (since === 0) {
      const { onMinutes, offMinutes } = population.deviceOf(keeper)
      return mixed(node, keeper) < (2 ** 32 * onMinutes) / (onMinutes + offMinutes)
    }
    return (population.online[keeper] === 1) === turnedAt <= since
  }

  #turn(peer: number): void {
    const { population, wheel } = this
    population.turn(peer, wheel.now)
    if (population.online[peer] === 1) {
      this.records.come(peer)
      this.#roundAfter(peer, ticksOf(FIRST_ROUND_MS))
    }
    wheel.after(population.staysTicks(peer, msOf(wheel.now), this.#random), EVENT.turn, peer)
  }

  #roundAfter(peer: number, ticks: number): void {
    if (!this.population.deviceOf(peer).carriesDirectory) return
    const at = this.wheel.now + Math.max(1, ticks)
    this.#roundAt[peer] = at
    this.wheel.at(at, EVENT.round, peer)
  }

  #round(peer: number): void {
    const { wheel, records, population } = this
    if (population.online[peer] === 0 || this.#roundAt[peer] !== wheel.now) return
    const half = this.#isCutAt(wheel.now) ? this.#cellCount * this.#side(peer) : 0
    records.provide(peer, 0, half + this.#cellOf(peer), wheel.now)
    records.provide(peer, 1, half + ANYWHERE_CELL, wheel.now)
    this.#roundAfter(peer, roundTicks(this.#random))
  }

  /** How many others it brought. */
  #lookUnder(seeker: number, key: number, met: Set<number>, found: Set<number>, look: Look): number {
    const { population, wheel } = this
    const keptBy = this.#keepersOf(key)
    this.#seenAt = wheel.now
    const startMs = look.endMs
    const others = new Set<number>()
    const walk = this.#kademlia.walk(seeker, this.#targetOf(key), met)
    for (let step = walk.next(); ; step = walk.next()) {
      const atMs = step.done ? step.value : step.value.atMs
      look.endMs = startMs + Math.min(atMs, WALK_MS_MAX)
      if (step.done || atMs > WALK_MS_MAX) return others.size
      look.answers++
      for (const provider of keptBy.get(step.value.node) ?? []) {
        if (provider === seeker || others.has(provider)) continue
        others.add(provider)
        if (found.has(provider)) continue
        found.add(provider)
        look.records++
        if (population.online[provider] === 0) continue
        look.live++
        this.#reached(seeker, provider, startMs, step.value, look)
      }
      if (others.size >= CROWD) return others.size
    }
  }

  #reached(seeker: number, provider: number, startMs: number, step: Step, look: Look): void {
    const { population } = this
    if (!population.canReach(seeker, provider)) return
    if (this.#isCutAt(this.#seenAt) && this.#side(seeker) !== this.#side(provider)) return
    const roundTripMs = 2 * msOf(population.delayTicks(seeker, provider))
    const ms = startMs + step.atMs + CONNECT_ROUND_TRIPS * roundTripMs
    if (ms >= look.firstMs) return
    look.first = provider
    look.firstMs = ms
    look.hops = step.hop
  }

  /** Providers that each keeper of a key has records of: whom their walks found, if it has been there since. */
  #keepersOf(key: number): Map<number, number[]> {
    const known = this.#keptBy.get(key)
    if (known) return known
    const { records, wheel, population } = this
    const kept = new Map<number, number[]>()
    const half = keyIn(this.#cellCount, 0, 0) - keyIn(0, 0, 0)
    for (const record of [...records.under(key, wheel.now), ...records.under(key + half, wheel.now)]) {
      const provider = record >> 1
      this.#seenAt = records.at[record] as number
      for (const keeper of this.#nearest(provider, key)) {
        if (this.#hostile[keeper] === 1 || (population.turnedAt[keeper] as number) > this.#seenAt) continue
        kept.set(keeper, [...(kept.get(keeper) ?? []), provider])
      }
    }
    this.#keptBy.set(key, kept)
    return kept
  }

  /** The nearest to a key that a walk from `peer` finds; none: it does not end in time. */
  #nearest(peer: number, key: number): number[] {
    const steps: Step[] = []
    const walk = this.#kademlia.walk(peer, this.#targetOf(key), new Set())
    for (let step = walk.next(); ; step = walk.next()) {
      if (step.done) {
        if (step.value > PROVIDE_MS_MAX) return []
        return steps
          .sort((a, b) => a.distance - b.distance)
          .slice(0, K)
          .map(({ node }) => node)
      }
      steps.push(step.value)
    }
  }

  #targetOf(key: number): number {
    return deriveSeed(this.#seed, `key ${key}`)
  }
}
