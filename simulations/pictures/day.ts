/** How a day went in a large world: by its clock, and by the hour of the day where a peer is. */
import type { AnsweredJob } from '../level2/invokers.ts'
import { HOUR_MS } from '../level2/population.ts'
import { DAY_HOURS, type LargeRoutingWorld, meanOf, p99Of, type RoutingWatch } from '../level2/routing.ts'
import { msOf } from '../level2/wheel.ts'
import type { Line, Pictures, Plot, Table } from './pictures.ts'

const LOOK_MS = HOUR_MS / 6
const HOURS = Array.from({ length: DAY_HOURS }, (_, hour) => hour)

const sum = (figures: readonly number[]): number => figures.reduce((total, one) => total + one, 0)
const sharesOf = (figures: readonly number[]): number[] => figures.map((one) => one / sum(figures))
const zeros = (): number[] => HOURS.map(() => 0)
const add = (to: number[], hour: number, amount: number): void => {
  to[hour] = (to[hour] as number) + amount
}

/** Of peers, looked at again and again, by the hour where they are. */
class Seen {
  readonly all = zeros()
  readonly there = zeros()
  /** In slots of speed 1. */
  readonly capacity = zeros()

  get share(): number[] {
    return this.all.map((all, hour) => (this.there[hour] as number) / all)
  }
}

export class DayWatch implements RoutingWatch {
  readonly #seen = new Seen()
  /** By name of the class. */
  readonly #classes = new Map<string, Seen>()
  /** By the hour of the world, that of its first look: how many are there, and what runs had taken, and needed to take, until then. */
  readonly #online = zeros()
  readonly #spent: number[] = []
  readonly #needed: number[] = []
  /** Of counted jobs: what each took, by the hour where it was asked for, and by that of the world. */
  readonly #tookHere = HOURS.map((): number[] => [])
  readonly #tookAt = HOURS.map((): number[] => [])
  #beganMs: number | undefined
  #nextMs = 0

  second({ world }: LargeRoutingWorld): void {
    const { wheel, counts, population } = world
    const nowMs = msOf(wheel.now)
    this.#beganMs ??= nowMs
    if (nowMs < this.#nextMs) return
    this.#nextMs = nowMs + LOOK_MS
    const hour = Math.floor((nowMs - this.#beganMs) / HOUR_MS)
    this.#spent[hour] ??= counts.spentTicks
    this.#needed[hour] ??= counts.neededTicks
    if (hour >= DAY_HOURS) return
    this.#online[hour] = sum(Array.from(population.online))
    for (let peer = 0; peer < population.size; peer++) this.#look(world, peer, nowMs)
  }

  #look({ population }: LargeRoutingWorld['world'], peer: number, nowMs: number): void {
    const { name, slots, speed } = population.deviceOf(peer)
    const hour = Math.floor(population.hourAt(peer, nowMs))
    const its = this.#classes.get(name) ?? new Seen()
    this.#classes.set(name, its)
    for (const { all, there, capacity } of [its, this.#seen]) {
      add(all, hour, 1)
      if (population.online[peer] === 0) continue
      add(there, hour, 1)
      add(capacity, hour, slots * speed)
    }
  }

  answered({ ticks, asks }: AnsweredJob, { world }: LargeRoutingWorld): void {
    const tookMs = msOf(ticks)
    const askedMs = msOf(world.wheel.now) - tookMs
    this.#tookHere[Math.floor(world.population.hourAt(asks, askedMs))]?.push(tookMs)
    this.#tookAt[Math.floor((askedMs - (this.#beganMs as number)) / HOUR_MS)]?.push(tookMs)
  }

  /** By the hours of the day where a peer is that `are` these: the mean of what is asked for there, and the share of peers that are there. */
  of(are: (hour: number) => boolean): { meanMs: number; thereShare: number } {
    const hours = HOURS.filter(are)
    const count = (column: readonly number[]) => sum(hours.map((hour) => column[hour] as number))
    return {
      meanMs: meanOf(hours.flatMap((hour) => this.#tookHere[hour] as number[])),
      thereShare: count(this.#seen.there) / count(this.#seen.all),
    }
  }

  /** By the hour of the day where a peer is. */
  get here(): Table {
    const classes = [...this.#classes].map(([name, seen]) => [`${name}_share`, seen.share])
    return {
      hour: HOURS,
      there_share: this.#seen.share,
      ...Object.fromEntries(classes),
      asked_share: sharesOf(this.#tookHere.map((took) => took.length)),
      lent_share: sharesOf(this.#seen.capacity),
      mean_ms: this.#tookHere.map(meanOf),
      p99_ms: this.#tookHere.map(p99Of),
    }
  }

  /** Hour after hour. */
  get hours(): Table {
    const during = (figures: readonly number[], hour: number) =>
      (figures[hour + 1] ?? Number.NaN) - (figures[hour] as number)
    return {
      hour: HOURS,
      online: this.#online,
      mean_ms: this.#tookAt.map(meanOf),
      p99_ms: this.#tookAt.map(p99Of),
      in_vain_share: HOURS.map((hour) => during(this.#spent, hour) / during(this.#needed, hour) - 1),
    }
  }
}

const HERE = { column: 'hour', label: 'hour of the day where the peer is' }
const HOUR = { column: 'hour', label: 'time, h' }
const LENGTHS: readonly Line[] = [
  { column: 'mean_ms', label: 'mean' },
  { column: 'p99_ms', label: 'p99' },
  { column: 'even_mean_ms', label: 'mean, without a rhythm', isReference: true },
  { column: 'even_p99_ms', label: 'p99, without a rhythm', isReference: true },
]
const NIGHT = [
  { from: 0, to: 8, label: 'night' },
  { from: 20, to: 24, label: 'night' },
]
const LOCAL = { table: 'hours-of-the-day', x: HERE, as: 'steps', spans: NIGHT } as const

const PLOTS: readonly Plot[] = [
  {
    title: 'Who is there, by the hour where they are',
    about:
      'Of all peers where it is that hour, the share that is there: of all kinds, and of those that have a rhythm.',
    ...{ ...LOCAL, y: 'share' },
    lines: [
      { column: 'desktop_share', label: 'desktops' },
      { column: 'phone_share', label: 'phones' },
      { column: 'tab_share', label: 'tabs' },
      { column: 'there_share', label: 'all', isReference: true },
    ],
  },
  {
    title: 'Asked for and lent, by the hour where that is',
    about:
      'Of all jobs the share that is asked for where it is that hour; of all that peers can compute the share of those there.',
    ...{ ...LOCAL, y: 'share of the day' },
    lines: [
      { column: 'asked_share', label: 'asked for' },
      { column: 'lent_share', label: 'lent' },
    ],
  },
  {
    title: 'Completion, by the hour where it is asked for',
    about:
      'From call to answer, of jobs that are counted; beside a world of the same peers in which all hours are alike.',
    ...{ ...LOCAL, y: 'took, ms', lines: LENGTHS, isLogarithmic: true },
  },
  {
    title: 'Completion, hour after hour',
    about:
      'From call to answer, by the clock of the world: it is day in one half of it, and night in the other, at any time.',
    ...{ table: 'hours', x: HOUR, y: 'took, ms', lines: LENGTHS, as: 'steps', isLogarithmic: true },
  },
  {
    title: 'Work done in vain',
    about: 'Hour after hour: what runs took whose answers were not the first, in parts of what the others took.',
    ...{ table: 'hours', x: HOUR, y: 'share', as: 'steps' },
    lines: [
      { column: 'in_vain_share', label: 'in vain' },
      { column: 'even_in_vain_share', label: 'without a rhythm', isReference: true },
    ],
  },
  {
    title: 'Who is there',
    about: 'Peers, at the beginning of each hour; the others come back.',
    ...{ table: 'hours', x: HOUR, y: 'peers', as: 'steps' },
    lines: [
      { column: 'online', label: 'there' },
      { column: 'even_online', label: 'without a rhythm', isReference: true },
    ],
  },
]

const beside = (table: Table, even: Table): Table => {
  const renamed = Object.entries(even).map(([name, column]) => [`even_${name}`, column])
  return { ...table, ...Object.fromEntries(renamed.filter(([name]) => name !== 'even_hour')) }
}

/** Of a day, and of the same one if all hours were alike. There is no map: a day of calls is too long to be seen. */
export const dayPictures = (day: DayWatch, even: DayWatch): Pictures => ({
  tables: { 'hours-of-the-day': beside(day.here, even.here), hours: beside(day.hours, even.hours) },
  plots: PLOTS,
})
