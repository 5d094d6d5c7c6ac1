/** The lending side of all peers of a large world: admits, holds, runs, and tells of its load, by the rules of peer/. */
import { type AdmissionView, admit, QUOTA_DEFAULT } from '../../peer/admission.ts'
import { type Load, newsDelayMs } from '../../peer/load-news.ts'
import { FAR_DELAY } from '../../peer/own-advertisement.ts'
import { AT, NONE } from './attempts.ts'
import { type Views, viewsOf, wordsOf } from './records.ts'
import { FAR, NEAR } from './tables.ts'
import { ticksOf } from './wheel.ts'
import { EVENT, type LargeWorld } from './world.ts'

const MIB = 1024 * 1024
/** What a job asks for. */
const JOB_MEMORY_BYTES = 64 * MIB
const LOAD_BYTES = 24
/** Neighbours who are told at the same time, near ones and far ones: how many times later than the first. */
const SLOWNESS = [1, FAR_DELAY] as const

/** Side by side, for each audience of each peer; what is not an audience's is that of the near one. */
const FIELDS = {
  /** Of all items there. */
  first: Int32Array,
  count: Uint32Array,
  held: Uint32Array,
  running: Uint32Array,
  /** The items that it has told of last, when, and those told before. */
  told: Uint32Array,
  toldAt: Uint32Array,
  before: Uint32Array,
  /** When it will look whether there is news; 0: nothing is set. */
  newsAt: Uint32Array,
} as const
const AUDIENCE_WORDS = wordsOf(Object.keys(FIELDS).length)
/** From the index of one peer to that of the next. */
export const PEER_WORDS = SLOWNESS.length * AUDIENCE_WORDS

type Writable<T> = { -readonly [Key in keyof T]: T[Key] }

export class Executors {
  readonly #world: LargeWorld
  readonly #words: Int32Array<ArrayBuffer>
  readonly columns: Views<typeof FIELDS>
  /** Neighbours of each audience: in a small world there are no more. */
  readonly #neighbours: readonly number[]
  /** What audiences had been told when some were cut off. */
  #remembered = new Uint32Array(0)
  /** For the rules; used again. */
  readonly #toldLoad: Writable<Load> = { slots: 0, free: 0, queued: 0 }
  readonly #nowLoad: Writable<Load> = { slots: 0, free: 0, queued: 0 }
  readonly #admission: Writable<AdmissionView> = {
    ...{ paused: false, stopping: false, accepted: true, engine: true, memoryBytesAsked: JOB_MEMORY_BYTES },
    ...{ memoryBytesLent: 0, slots: 0, queuedItems: 0, queuedBytes: 0, items: 1, bytes: 0, quota: QUOTA_DEFAULT },
    ...{ heldItems: 0, heldBytes: 0, usedFuel: 0, usedBytes: 0, contended: false },
  }

  constructor(world: LargeWorld) {
    const { size } = world.population
    this.#world = world
    const near = Math.min(NEAR, size - 1)
    this.#neighbours = [near, Math.min(FAR, size - 1 - near)]
    this.#words = new Int32Array(size * PEER_WORDS)
    this.columns = viewsOf(FIELDS, this.#words)
    for (let peer = 0; peer < size; peer++) this.columns.first[peer * PEER_WORDS] = NONE
  }

  get bytes(): number {
    return this.#words.byteLength
  }

  /** Slots of `peer` that run something. */
  runningAt(peer: number): number {
    return this.columns.running[peer * PEER_WORDS] as number
  }

  /** Items at `peer` now that are not held back. */
  itemsAt(peer: number): number {
    const its = peer * PEER_WORDS
    return (this.columns.count[its] as number) - (this.columns.held[its] as number)
  }

  /** Items at `peer` as somebody knows it whom words reach in `delay` ticks. */
  seen(peer: number, audience: number, delay: number): number {
    const at = peer * PEER_WORDS + audience * AUDIENCE_WORDS
    const { told, toldAt, before } = this.columns
    return (this.#world.wheel.now >= (toldAt[at] as number) + delay ? told[at] : before[at]) as number
  }

  /** From now on `seenBefore` is what everybody was told until now. */
  remember(): void {
    const { told } = this.columns
    const audiences = this.#world.population.size * SLOWNESS.length
    this.#remembered = Uint32Array.from({ length: audiences }, (_, at) => told[at * AUDIENCE_WORDS] as number)
  }

  /** Items at `peer` as somebody knows it who has heard nothing since. */
  seenBefore(peer: number, audience: number): number {
    return this.#remembered[peer * SLOWNESS.length + audience] as number
  }

  asked(a: number): void {
    const { attempts, population, counts } = this.#world
    const { at, peer: executor, link, since } = attempts.columns
    const peer = executor[a] as number
    // Or it was taken back, and that was faster.
    if (population.online[peer] === 0 || at[a] === AT.over) {
      at[a] = AT.over
      return
    }
    if (this.#refuses(peer)) {
      counts.refused++
      at[a] = AT.over
      return this.#world.send(a, EVENT.refused, false, false)
    }
    const { first, count, held } = this.columns
    const its = peer * PEER_WORDS
    link[a] = first[its] as number
    first[its] = a
    count[its] = (count[its] as number) + 1
    const hold = since[a] as number
    if (hold === 0) return this.#ready(a, peer)
    at[a] = AT.held
    held[its] = (held[its] as number) + 1
    this.#world.later(a, hold, EVENT.released)
  }

  released(a: number): void {
    const { at, peer: executor } = this.#world.attempts.columns
    if (at[a] !== AT.held) return
    const peer = executor[a] as number
    const { held } = this.columns
    held[peer * PEER_WORDS] = (held[peer * PEER_WORDS] as number) - 1
    this.#ready(a, peer)
  }

  ended(a: number): void {
    const { at, peer: executor } = this.#world.attempts.columns
    if (at[a] !== AT.runs) return
    const peer = executor[a] as number
    this.#remove(a, peer)
    this.#world.send(a, EVENT.answered, false, true)
    this.#pump(peer)
    this.#consider(peer)
  }

  cancelled(a: number): void {
    const { at, peer: executor } = this.#world.attempts.columns
    const wasThere = at[a] !== AT.over && at[a] !== AT.travels
    if (!wasThere) {
      at[a] = AT.over
      return
    }
    const peer = executor[a] as number
    this.#remove(a, peer)
    this.#pump(peer)
    this.#consider(peer)
  }

  /** It is gone: whatever was there comes to nothing. */
  leave(peer: number): void {
    const { link } = this.#world.attempts.columns
    for (let a = this.columns.first[peer * PEER_WORDS] as number; a !== NONE; ) {
      const next = link[a] as number
      this.#remove(a, peer)
      a = next
    }
  }

  /** Its neighbours hear of it as of a newcomer. */
  come(peer: number): void {
    for (let audience = 0; audience < SLOWNESS.length; audience++) this.#tell(2 * peer + audience, 0)
  }

  /** A word is due, perhaps, to one audience of a peer. */
  news(at: number): void {
    this.columns.newsAt[at * AUDIENCE_WORDS] = 0
    if (this.#world.population.online[at >> 1] === 1) this.#considerFor(at)
  }

  #refuses(peer: number): boolean {
    const device = this.#world.population.deviceOf(peer)
    const view = this.#admission
    view.memoryBytesLent = device.memoryMiB * MIB
    view.slots = device.slots
    view.queuedItems = this.columns.count[peer * PEER_WORDS] as number
    view.bytes = this.#world.link.jobBytes
    return admit(view) !== undefined
  }

  #ready(a: number, peer: number): void {
    const { at, since } = this.#world.attempts.columns
    at[a] = AT.ready
    since[a] = this.#world.wheel.now
    this.#pump(peer)
    this.#consider(peer)
  }

  /** Starts those that have been ready longest, while there are slots. */
  #pump(peer: number): void {
    const { at, since, link } = this.#world.attempts.columns
    const { first, running } = this.columns
    const its = peer * PEER_WORDS
    const { slots } = this.#world.population.deviceOf(peer)
    while ((running[its] as number) < slots) {
      let longest = NONE
      for (let a = first[its] as number; a !== NONE; a = link[a] as number) {
        // The list has the newest first.
        if (at[a] === AT.ready && (longest === NONE || (since[a] as number) <= (since[longest] as number))) longest = a
      }
      if (longest === NONE) return
      this.#start(longest, peer)
    }
  }

  #start(a: number, peer: number): void {
    const { attempts, population, wheel } = this.#world
    const { at, since, work, tied } = attempts.columns
    at[a] = AT.runs
    since[a] = wheel.now
    const { running } = this.columns
    running[peer * PEER_WORDS] = (running[peer * PEER_WORDS] as number) + 1
    const runs = ticksOf((work[a] as number) / population.deviceOf(peer).speed)
    this.#world.later(a, Math.max(1, runs), EVENT.ended)
    if (tied[a] === 1) this.#world.send(a, EVENT.started, false, false)
  }

  #remove(a: number, peer: number): void {
    const { attempts, wheel, counts } = this.#world
    const { at, link, since, counted } = attempts.columns
    const { first, count, held, running } = this.columns
    const its = peer * PEER_WORDS
    if (first[its] === a) first[its] = link[a] as number
    else {
      let before = first[its] as number
      while (before !== NONE && link[before] !== a) before = link[before] as number
      if (before !== NONE) link[before] = link[a] as number
    }
    count[its] = (count[its] as number) - 1
    if (at[a] === AT.held) held[its] = (held[its] as number) - 1
    if (at[a] === AT.runs) {
      running[its] = (running[its] as number) - 1
      if (counted[a] === 1) counts.spentTicks += wheel.now - (since[a] as number)
    }
    at[a] = AT.over
  }

  /** Something has changed. */
  #consider(peer: number): void {
    for (let audience = 0; audience < SLOWNESS.length; audience++) this.#considerFor(2 * peer + audience)
  }

  #considerFor(at: number): void {
    const { wheel, population, inflates } = this.#world
    const peer = at >> 1
    const { told, toldAt, newsAt } = this.columns
    const audience = at * AUDIENCE_WORDS
    const { slots } = population.deviceOf(peer)
    const items = inflates?.[peer] === 1 ? 0 : this.itemsAt(peer)
    const toldLoad = fill(this.#toldLoad, slots, told[audience] as number)
    const delayMs = newsDelayMs(toldLoad, fill(this.#nowLoad, slots, items))
    if (delayMs === Number.POSITIVE_INFINITY) return
    const due = (toldAt[audience] as number) + ticksOf(delayMs * (SLOWNESS[at & 1] as number))
    if (due <= wheel.now) return this.#tell(at, items)
    const set = newsAt[audience] as number
    if (set !== 0 && set <= due) return
    newsAt[audience] = due
    wheel.at(due, EVENT.news, at)
  }

  #tell(at: number, items: number): void {
    const { counts, wheel } = this.#world
    const neighbours = this.#neighbours[at & 1] as number
    const { told, toldAt, before } = this.columns
    const audience = at * AUDIENCE_WORDS
    before[audience] = told[audience] as number
    told[audience] = items
    toldAt[audience] = wheel.now
    counts.loadWords += neighbours
    counts.bytes += neighbours * LOAD_BYTES
  }
}

/** A load by the items that are there, as an advertisement says it. */
const fill = (load: Writable<Load>, slots: number, items: number): Load => {
  load.slots = slots
  load.free = Math.max(0, slots - items)
  load.queued = Math.max(0, items - slots)
  return load
}
