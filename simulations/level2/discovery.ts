/** Who is found in the directory of a mesh of a million, how soon and by how many hops: peers come and go, and renew records. */
import { NEEDED } from '../../peer/needs.ts'
import { CROWD, LEVEL_MAX, SPARSE } from '../../peer/provider-keys.ts'
import { FIRST_ROUND_MS, PROVIDE_MS_MAX, ROUND_MS, WALK_MS_MAX } from '../../peer/provider-rounds.ts'
import { MeshError } from '../../protocol/errors.ts'
import { FOUND_MAX, NEIGHBOURS_MAX } from '../../protocol/limits.ts'
import { deriveSeed } from '../random.ts'
import type { RttMatrix } from '../rtt-matrix.ts'
import { cellsOf } from './cells.ts'
import { type Chance, mixed, quickChance } from './chance.ts'
import { matrixGeography, modelGeography } from './geography.ts'
import { CONNECT_ROUND_TRIPS, K, Kademlia, type Step } from './kademlia.ts'
import { Links } from './links.ts'
import { Population } from './population.ts'
import { keyIn, ProviderRecords, roundTicks } from './provider-records.ts'
import { type Handler, msOf, ticksOf, Wheel } from './wheel.ts'

export interface Discovering {
  /** 32 bits. */
  seed: number
  peers: number
  rtts?: RttMatrix | undefined
  /** What is looked for is offered by one peer of so many; by all. */
  oneIn?: number
  /** Of 1,000 keepers, how many answer with their like and keep nothing. */
  hostilePermille?: number
  /** So many more of these sit nearest to each key under which peers of the first cell, that of the first place, look first. */
  aimed?: number
}

/** One look-up by a peer none of whose neighbours offers what it needs. */
export interface Look {
  seeker: number
  /** With whom hands are shaken first; undefined: nobody. */
  first: number | undefined
  /** Records of the directory that it brought, and those of them whose peers are there. */
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

const lookOf = (seeker: number): Look => ({
  ...{ seeker, first: undefined, records: 0, live: 0, firstMs: Number.POSITIVE_INFINITY, hops: 0 },
  ...{ endMs: 0, answers: 0, handshakes: 0 },
})

const ANYWHERE_CELL = 0
/** Of each peer, on average: whoever is there is among those drawn. */
const SEEKER_DRAWS = 100
const EVENT = { turn: 0, round: 1 } as const
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
  readonly #oneIn: number
  readonly #links: Links
  readonly #keptBy = new Map<number, Map<number, number[]>>()
  readonly #lost = new Set<number>()

  constructor({ seed, peers, rtts, oneIn = 1, hostilePermille = 0, aimed = 0 }: Discovering) {
    const random = (name: string) => quickChance(deriveSeed(seed, name))
    const geography = rtts ? matrixGeography(rtts) : modelGeography(random('places'))
    const { cells, count } = cellsOf(geography, random('cells'))
    this.#seed = seed
    this.#random = random('events')
    this.#cells = cells
    this.#cellCount = count
    this.population = new Population(peers, geography, random('peers'))
    this.#oneIn = oneIn
    this.#links = new Links(this.population, seed, (self, other) => this.#isApart(self, other, this.wheel.now))
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
    this.#forget()
  }

  #forget(): void {
    this.#keptBy.clear()
    this.#links.clear()
  }

  cut(): void {
    this.#cutAt = this.wheel.now
    this.#healedAt = Number.POSITIVE_INFINITY
    this.#forget()
  }

  heal(): void {
    this.#healedAt = this.wheel.now
    this.#forget()
  }

  /**
   * One that carries the directory, is there or not, and suits, drawn by chance from all, or from those of the first cell. Throws MeshError
   * E_USAGE if there is none in so small a world.
   */
  seeker(random: Chance, { isThere = true, ofFirstCell = false, suits = (_: number): boolean => true } = {}): number {
    const { population } = this
    for (let draw = 0; draw < SEEKER_DRAWS * population.size; draw++) {
      const peer = random.below(population.size)
      if (ofFirstCell && this.#cellOf(peer) !== this.#cells[0]) continue
      if ((population.online[peer] === 1) !== isThere || !population.deviceOf(peer).carriesDirectory) continue
      if (suits(peer)) return peer
    }
    throw new MeshError('E_USAGE', `of ${population.size} peers there is none to look for others: take more of them`)
  }

  /** Runs the agent of a machine, and can be dialled: keeps pieces of the directory while it is there. */
  isKeeper(peer: number): boolean {
    const { population } = this
    return population.canBeDialled(peer) && population.deviceOf(peer).carriesDirectory
  }

  /** It is gone from now on, for good. */
  lose(peer: number): void {
    const { population, wheel } = this
    if (population.online[peer] === 1) population.turn(peer, wheel.now)
    this.#lost.add(peer)
    this.#forget()
  }

  /** As a peer looks that has no neighbour: in its cell, and if that brings too little, anywhere. `random` draws the keys. */
  look(seeker: number, random = this.#random): Look {
    const look = lookOf(seeker)
    const [met, found] = [new Set<number>(), new Set<number>()]
    for (const cell of [this.#cellOf(seeker), ANYWHERE_CELL]) this.#find(cell, NEIGHBOURS_MAX, random, met, found, look)
    look.handshakes = met.size
    return look
  }

  /** As `Needs` looks: every neighbour is asked whom it knows, and the directory meanwhile, near and anywhere. */
  need(seeker: number, random = this.#random): Look {
    const look = lookOf(seeker)
    this.#seenAt = this.wheel.now
    const neighbours = this.#links.of(seeker, this.wheel.now)
    for (const neighbour of neighbours) this.#ask(seeker, neighbour, look)
    const [found, strangers] = [new Set<number>(), new Set<number>()]
    let lastMs = 0
    for (const cell of [this.#cellOf(seeker), ANYWHERE_CELL]) {
      const met = new Set(neighbours)
      look.endMs = 0
      this.#find(cell, found.size + NEEDED, random, met, found, look)
      lastMs = Math.max(lastMs, look.endMs)
      for (const one of met) strangers.add(one)
    }
    look.endMs = lastMs
    look.handshakes = strangers.size - neighbours.length
    return look
  }

  /** Does a neighbour offer what is looked for, as far as `peer` knows? Then it need not look. */
  hasAtHand(peer: number): boolean {
    return this.#links.of(peer, this.wheel.now).some((neighbour) => this.#offers(neighbour))
  }

  /** As `ProviderRounds.find`. */
  #find(cell: number, enough: number, random: Chance, met: Set<number>, found: Set<number>, look: Look): void {
    for (let level = 0; level <= LEVEL_MAX && found.size < enough; level++) {
      const key = keyIn(cell, level, random.below(2 ** level))
      if (this.#lookUnder(look.seeker, key, met, found, look) < SPARSE) return
    }
  }

  /** It tells of its own neighbours that offer it and can be dialled. */
  #ask(seeker: number, neighbour: number, look: Look): void {
    const { population } = this
    if (!this.#isThere(seeker, neighbour)) return
    look.answers++
    const atMs = 2 * msOf(population.delayTicks(seeker, neighbour))
    const told = this.#links
      .of(neighbour, this.wheel.now)
      .filter((one) => this.#offers(one) && population.canBeDialled(one))
    for (const one of told.slice(0, FOUND_MAX)) {
      if (one !== seeker && population.online[one] === 1) this.#reached(seeker, one, atMs, 1, look)
    }
  }

  #offers(peer: number): boolean {
    return mixed(peer, this.#seed) < 2 ** 32 / this.#oneIn
  }

  #isThere(from: number, to: number): boolean {
    return this.population.online[to] === 1 && !this.#isApart(from, to, this.#seenAt)
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

  #isApart(one: number, other: number, at: number): boolean {
    return this.#isCutAt(at) && this.#side(one) !== this.#side(other)
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
    const keepers = Array.from({ length: population.size }, (_, peer) => peer).filter((peer) => this.isKeeper(peer))
    this.#aim(keepers, aimed)
    const mesh = {
      population,
      reaches: (from: number, to: number) => this.#isThere(from, to),
      knew: (node: number, keeper: number) => this.knew(node, keeper),
      isHostile: (keeper: number) => this.#hostile[keeper] === 1,
    }
    return new Kademlia(mesh, keepers, this.#keys, this.#seed)
  }

  /** Was `keeper` there when `node` came, or went? A full leaf keeps whom it has, so what a table holds is as old as its session. */
  knew(node: number, keeper: number): boolean {
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
    if (this.#lost.has(peer)) return
    population.turn(peer, wheel.now)
    if (population.online[peer] === 1) {
      this.records.come(peer)
      this.#roundAfter(peer, ticksOf(FIRST_ROUND_MS))
    }
    wheel.after(population.staysTicks(peer, msOf(wheel.now), this.#random), EVENT.turn, peer)
  }

  #roundAfter(peer: number, ticks: number): void {
    if (!this.population.deviceOf(peer).carriesDirectory || !this.#offers(peer)) return
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
        this.#reached(seeker, provider, startMs + step.value.atMs, step.value.hop, look)
      }
      if (others.size >= CROWD) return others.size
    }
  }

  /** Heard of after `atMs`, by so many hops, and dialled at once. */
  #reached(seeker: number, provider: number, atMs: number, hops: number, look: Look): void {
    const { population } = this
    if (!population.canReach(seeker, provider) || !this.#isThere(seeker, provider)) return
    const ms = atMs + CONNECT_ROUND_TRIPS * 2 * msOf(population.delayTicks(seeker, provider))
    if (ms >= look.firstMs) return
    look.first = provider
    look.firstMs = ms
    look.hops = hops
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
