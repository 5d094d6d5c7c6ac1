/** What look-ups in the directory find, minute by minute. */
import { type Chance, quickChance } from '../level2/chance.ts'
import type { DiscoveryWorld, Look } from '../level2/discovery.ts'
import { CUT_MINUTES, quantile, SETTLES_MINUTES } from '../level2/discovery-report.ts'
import { msOf } from '../level2/wheel.ts'
import { deriveSeed } from '../random.ts'
import { callsTable, placesTable, type Travelled } from './map.ts'
import { type Pictures, type Plot, quantilesOf, type Table } from './pictures.ts'

/** A minute. */
const LOOKS = 4
/** Until records are as old as they get, minutes. */
const FILLS = 10

interface Sample {
  minute: number
  online: number
  looks: readonly Look[]
}

type During = NonNullable<Plot['spans']>[number]
const HALVES: During = { from: SETTLES_MINUTES, to: SETTLES_MINUTES + CUT_MINUTES, label: 'in two halves' }
const MINUTE = { column: 'minute', label: 'time, min' }

const plotsWith = (during: During): readonly Plot[] => [
  {
    title: 'Liveness of records',
    about: `Of the records that ${LOOKS} look-ups at a time found, the share whose peers are there; and of the look-ups, the share that led to somebody.`,
    ...{ table: 'minutes', x: MINUTE, y: 'share', spans: [during] },
    lines: [
      { column: 'live_share', label: 'records alive' },
      { column: 'found_share', label: 'look-ups that led to somebody', isReference: true },
    ],
    as: 'line',
  },
  {
    title: 'Until the first peer',
    about: 'From the question until hands are shaken with the first peer that is there.',
    ...{ table: 'minutes', x: MINUTE, y: 'ms', spans: [during] },
    lines: [
      { column: 'first_p50_ms', label: 'half of the look-ups' },
      { column: 'first_max_ms', label: 'the slowest' },
    ],
    as: 'line',
  },
  {
    title: 'How soon, by share',
    about: `The share of look-ups that took no longer, of those that led to somebody: from minute ${FILLS} to ${during.from}, and ${during.label}.`,
    ...{ table: 'first-peer', x: { column: 'share', label: 'share of look-ups' }, y: 'took at most, ms' },
    lines: [
      { column: 'before_ms', label: 'before' },
      { column: 'during_ms', label: during.label },
    ],
    as: 'line',
    isLogarithmic: true,
  },
  {
    title: 'Hops',
    about: 'By how many peers, one after another, the first was heard of.',
    ...{ table: 'hops', x: { column: 'hops', label: 'hops' }, y: 'look-ups' },
    ...{ lines: [{ column: 'looks', label: 'look-ups' }], as: 'bars' },
  },
  {
    title: 'Traffic by kind',
    about: 'What one look-up costs: handshakes with keepers that the seeker had no link to, and their answers.',
    ...{ table: 'minutes', x: MINUTE, y: 'a look-up, on average', spans: [during] },
    lines: [
      { column: 'answers', label: 'answers' },
      { column: 'handshakes', label: 'handshakes' },
    ],
    as: 'line',
  },
  {
    title: 'Who is there',
    about:
      'Peers that are there; the others come back. Who comes and goes depends on the kind of machine, and on the hour there.',
    ...{ table: 'minutes', x: MINUTE, y: 'peers', spans: [during] },
    ...{ lines: [{ column: 'online', label: 'there' }], as: 'steps' },
  },
]

const MAP = {
  about:
    'From who looks in the directory to the first peer that it shakes hands with; the keepers that it asks in between lie all over the mesh. The 256 towns of the model lie anywhere on the Earth, seas included.',
  ...{ peers: 'places', calls: 'calls' },
  legend: {
    asks: 'looks for a peer',
    others: 'nobody looked from here',
    between: 'is looked for',
    answer: 'hands are shaken',
  },
}

const sum = (figures: readonly number[]): number => figures.reduce((total, one) => total + one, 0)
const isFound = ({ firstMs }: Look): boolean => firstMs < Number.POSITIVE_INFINITY

/** Looks with a chance of its own: the world goes on as if nobody had. */
export class DiscoveryWatch {
  readonly #random: Chance
  readonly #samples: Sample[] = []
  /** The look-ups that led to somebody. */
  readonly #found: Travelled[] = []
  readonly #during: During
  #world: DiscoveryWorld | undefined

  /** `during`: minutes in which something else holds. */
  constructor(seed: number, during = HALVES) {
    this.#during = during
    this.#random = quickChance(deriveSeed(seed, 'watch'))
  }

  /** Once a minute, unless told which it is. */
  look(world: DiscoveryWorld, minute = this.#samples.length + 1): void {
    const looks = Array.from({ length: LOOKS }, () => world.look(world.seeker(this.#random), this.#random))
    const online = sum(Array.from(world.population.online))
    this.#world = world
    for (const look of looks) this.#find(look, world)
    this.#samples.push({ minute, online, looks })
  }

  pictures(): Pictures {
    const tables = { minutes: this.#minutes(), looks: this.#looks(), hops: this.#hops(), 'first-peer': this.#first() }
    const points = this.#world?.population.geography.points
    const plots = plotsWith(this.#during)
    if (!points) return { tables, plots }
    const asking = new Set(this.#found.map(({ from }) => from))
    const places = placesTable(points, (place) => asking.has(place))
    return { tables: { ...tables, places, calls: callsTable(this.#found) }, plots, map: MAP }
  }

  #find({ seeker, first, firstMs }: Look, { population, wheel }: DiscoveryWorld): void {
    if (first === undefined) return
    const askedMs = msOf(wheel.now)
    this.#found.push({
      ...{ from: population.place[seeker] as number, to: population.place[first] as number },
      ...{ askedMs, answeredMs: askedMs + firstMs, travelMs: msOf(population.delayTicks(seeker, first)) },
    })
  }

  #minutes(): Table {
    const of = (figure: (looks: readonly Look[]) => number) => this.#samples.map(({ looks }) => figure(looks))
    const firsts = (looks: readonly Look[]) => looks.map(({ firstMs }) => firstMs)
    const mean = (figure: (look: Look) => number) => of((looks) => sum(looks.map(figure)) / looks.length)
    return {
      minute: this.#samples.map(({ minute }) => minute),
      online: this.#samples.map(({ online }) => online),
      live_share: of((looks) => sum(looks.map(({ live }) => live)) / sum(looks.map(({ records }) => records))),
      found_share: mean((look) => Number(isFound(look))),
      first_p50_ms: of((looks) => quantile(firsts(looks), 0.5)),
      first_max_ms: of((looks) => quantile(firsts(looks), 1)),
      answers: mean(({ answers }) => answers),
      handshakes: mean(({ handshakes }) => handshakes),
    }
  }

  #looks(): Table {
    const looks = this.#samples.flatMap(({ minute, looks }) => looks.map((look) => ({ minute, ...look })))
    return {
      minute: looks.map(({ minute }) => minute),
      records: looks.map(({ records }) => records),
      live: looks.map(({ live }) => live),
      first_ms: looks.map(({ firstMs }) => firstMs),
      end_ms: looks.map(({ endMs }) => endMs),
      hops: looks.map((look) => (isFound(look) ? look.hops : Number.NaN)),
      answers: looks.map(({ answers }) => answers),
      handshakes: looks.map(({ handshakes }) => handshakes),
    }
  }

  #hops(): Table {
    const found = this.#samples.flatMap(({ looks }) => looks.filter(isFound))
    const hops = Array.from({ length: Math.max(1, ...found.map((look) => look.hops)) }, (_, i) => i + 1)
    return { hops, looks: hops.map((count) => found.filter((look) => look.hops === count).length) }
  }

  #first(): Table {
    const between = (from: number, to: number) =>
      this.#samples
        .filter(({ minute }) => minute > from && minute <= to)
        .flatMap(({ looks }) => looks.filter(isFound).map(({ firstMs }) => firstMs))
    const { from, to } = this.#during
    return quantilesOf({ before_ms: between(FILLS, from), during_ms: between(from, to) })
  }
}
