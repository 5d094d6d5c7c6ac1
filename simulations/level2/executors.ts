/** The lending side of all peers of a large world: admits, holds, runs, and tells of its load, by the rules of peer/. */
import { type AdmissionView, admit, QUOTA_DEFAULT } from '../../peer/admission.ts'
import { type Load, newsDelayMs } from '../../peer/load-news.ts'
import { FAR_DELAY } from '../../peer/own-advertisement.ts'
import { AT, NONE } from './attempts.ts'
import { FAR, NEAR } from './tables.ts'
import { ticksOf } from './wheel.ts'
import { EVENT, type LargeWorld } from './world.ts'

const MIB = 1024 * 1024
/** What a job asks for. */
const JOB_MEMORY_BYTES = 64 * MIB
const LOAD_BYTES = 24
/** Neighbours who are told at the same time, and how many times later than the first. */
const AUDIENCES = [
  { neighbours: NEAR, slowness: 1 },
  { neighbours: FAR, slowness: FAR_DELAY },
] as const

type Audience = (typeof AUDIENCES)[number]

type Writable<T> = { -readonly [Key in keyof T]: T[Key] }

export class Executors {
  readonly #world: LargeWorld
  /** Of all items there. */
  readonly first: Int32Array
  readonly count: Uint16Array
  readonly held: Uint16Array
  readonly running: Uint8Array
  /** The items that it has told of last, when, and those told before; by peer and audience, the near one first. */
  readonly told: Uint16Array
  readonly toldAt: Uint32Array
  readonly before: Uint16Array
  /** When it will look whether there is news; 0: nothing is set. */
  readonly newsAt: Uint32Array
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
    this.first = new Int32Array(size).fill(NONE)
    this.count = new Uint16Array(size)
    this.held = new Uint16Array(size)
    this.running = new Uint8Array(size)
    this.told = new Uint16Array(2 * size)
    this.toldAt = new Uint32Array(2 * size)
    this.before = new Uint16Array(2 * size)
    this.newsAt = new Uint32Array(2 * size)
  }

  get bytes(): number {
    return (4 + 2 + 2 + 1 + 2 * (2 + 4 + 2 + 4)) * this.first.length
  }

  /** Items at `peer` as somebody knows it whom words reach in `delay` ticks. */
  seen(peer: number, audience: number, delay: number): number {
    const at = 2 * peer + audience
    const isThere = this.#world.wheel.now >= (this.toldAt[at] as number) + delay
    return (isThere ? this.told[at] : this.before[at]) as number
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
    link[a] = this.first[peer] as number
    this.first[peer] = a
    this.count[peer] = (this.count[peer] as number) + 1
    const hold = since[a] as number
    if (hold === 0) return this.#ready(a, peer)
    at[a] = AT.held
    this.held[peer] = (this.held[peer] as number) + 1
    this.#world.later(a, hold, EVENT.released)
  }

  released(a: number): void {
    const { at, peer: executor } = this.#world.attempts.columns
    if (at[a] !== AT.held) return
    const peer = executor[a] as number
    this.held[peer] = (this.held[peer] as number) - 1
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
    for (let a = this.first[peer] as number; a !== NONE; ) {
      const next = link[a] as number
      this.#remove(a, peer)
      a = next
    }
  }

  /** Its neighbours hear of it as of a newcomer. */
  come(peer: number): void {
    for (let audience = 0; audience < AUDIENCES.length; audience++) this.#tell(2 * peer + audience, 0)
  }

  /** A word is due, perhaps, to one audience of a peer. */
  news(at: number): void {
    this.newsAt[at] = 0
    if (this.#world.population.online[at >> 1] === 1) this.#considerFor(at)
  }

  #refuses(peer: number): boolean {
    const device = this.#world.population.deviceOf(peer)
    const view = this.#admission
    view.memoryBytesLent = device.memoryMiB * MIB
    view.slots = device.slots
    view.queuedItems = this.count[peer] as number
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
    const { slots } = this.#world.population.deviceOf(peer)
    while ((this.running[peer] as number) < slots) {
      let longest = NONE
      for (let a = this.first[peer] as number; a !== NONE; a = link[a] as number) {
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
    this.running[peer] = (this.running[peer] as number) + 1
    const runs = ticksOf((work[a] as number) / population.deviceOf(peer).speed)
    this.#world.later(a, Math.max(1, runs), EVENT.ended)
    if (tied[a] === 1) this.#world.send(a, EVENT.started, false, false)
  }

  #remove(a: number, peer: number): void {
    const { attempts, wheel, counts } = this.#world
    const { at, link, since, counted } = attempts.columns
    if (this.first[peer] === a) this.first[peer] = link[a] as number
    else {
      let before = this.first[peer] as number
      while (before !== NONE && link[before] !== a) before = link[before] as number
      if (before !== NONE) link[before] = link[a] as number
    }
    this.count[peer] = (this.count[peer] as number) - 1
    if (at[a] === AT.held) this.held[peer] = (this.held[peer] as number) - 1
    if (at[a] === AT.runs) {
      this.running[peer] = (this.running[peer] as number) - 1
      if (counted[a] === 1) counts.spentTicks += wheel.now - (since[a] as number)
    }
    at[a] = AT.over
  }

  /** Something has changed. */
  #consider(peer: number): void {
    for (let audience = 0; audience < AUDIENCES.length; audience++) this.#considerFor(2 * peer + audience)
  }

  #considerFor(at: number): void {
    const { wheel, population } = this.#world
    const peer = at >> 1
    const { slots } = population.deviceOf(peer)
    const items = (this.count[peer] as number) - (this.held[peer] as number)
    const delayMs = newsDelayMs(fill(this.#toldLoad, slots, this.told[at] as number), fill(this.#nowLoad, slots, items))
    if (delayMs === Number.POSITIVE_INFINITY) return
    const due = (this.toldAt[at] as number) + ticksOf(delayMs * (AUDIENCES[at & 1] as Audience).slowness)
    if (due <= wheel.now) return this.#tell(at, items)
    const set = this.newsAt[at] as number
    if (set !== 0 && set <= due) return
    this.newsAt[at] = due
    wheel.at(due, EVENT.news, at)
  }

  #tell(at: number, items: number): void {
    const { counts, wheel } = this.#world
    const { neighbours } = AUDIENCES[at & 1] as Audience
    this.before[at] = this.told[at] as number
    this.told[at] = items
    this.toldAt[at] = wheel.now
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
