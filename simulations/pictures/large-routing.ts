/** How jobs went in a large world, second by second. */
import type { AnsweredJob } from '../level2/invokers.ts'
import type { LargeRoutingReport, LargeRoutingWorld, RoutingWatch } from '../level2/routing.ts'
import { msOf } from '../level2/wheel.ts'
import type { Counts } from '../level2/world.ts'
import { CALLS_LEGEND, callsTable, placesTable } from './map.ts'
import { type Pictures, type Plot, quantilesOf, type Table } from './pictures.ts'

/** Rows of the tables of jobs and of calls: some 15 MB of CSV. Of a million peers they have the first of four million. */
const JOBS_MAX = 100_000

interface Second {
  atMs: number
  online: number
  /** Slots of those who are there, and those of them that run something. */
  slots: number
  running: number
  counts: Counts
}

interface JobSeen {
  number: number
  askedMs: number
  tookMs: number
  /** One way. */
  travelMs: number
  /** Places. */
  from: number
  to: number
}

const WAYS = [
  { column: 'peers_ms', label: 'peers' },
  { column: 'oracle_ms', label: 'who sees everything', isReference: true },
]
const AT = { column: 'at_s', label: 'time, s' }

const PLOTS: readonly Plot[] = [
  {
    title: 'Load',
    about: 'The share of slots that run something, of those of peers that are there.',
    ...{ table: 'seconds', x: AT, y: 'share' },
    ...{ lines: [{ column: 'running_share', label: 'slots that run something' }], as: 'steps' },
  },
  {
    title: 'Re-executions',
    about:
      'Attempts that were sent out for each answer that came, tied copies included; those that hedge, and those whose executor went away.',
    ...{ table: 'seconds', x: AT, y: 'for each answer' },
    lines: [
      { column: 'executions_per_answer', label: 'all attempts' },
      { column: 'hedges_per_answer', label: 'hedges' },
      { column: 'lost_per_answer', label: 'lost' },
    ],
    as: 'steps',
  },
  {
    title: 'Traffic by kind',
    about:
      'Messages of all peers: of attempts (an attempt that goes out, a refusal, and the others: started, taken back, answered), and words on load, counted for each neighbour.',
    ...{ table: 'seconds', x: AT, y: 'messages a second' },
    lines: [
      { column: 'asked_per_s', label: 'attempts' },
      { column: 'refused_per_s', label: 'refusals' },
      { column: 'others_per_s', label: 'others' },
      { column: 'load_words_per_s', label: 'words on load' },
    ],
    ...{ as: 'steps', isLogarithmic: true },
  },
  {
    title: 'Who is there',
    about: 'Peers; the others come back. Who comes and goes depends on the kind of machine, and on the hour there.',
    ...{ table: 'seconds', x: AT, y: 'peers' },
    ...{ lines: [{ column: 'online', label: 'there' }], as: 'steps' },
  },
]

const completionPlots = (hasOracle: boolean): readonly Plot[] => [
  {
    title: hasOracle ? 'Completion against the oracle' : 'Completion',
    about: hasOracle
      ? 'From call to answer: the share of counted jobs that took no longer. The oracle knows every queue, and has all peers, also those that are away.'
      : 'From call to answer: the share of counted jobs that took no longer. The world is too large for an oracle.',
    ...{ table: 'completion', x: { column: 'share', label: 'share of jobs' }, y: 'took at most, ms' },
    ...{ lines: hasOracle ? WAYS : WAYS.slice(0, 1), as: 'line', isLogarithmic: true },
  },
  {
    title: 'Each job',
    about: 'When it was asked for, and how long it took; only those that are counted.',
    ...{ table: 'jobs', x: { column: 'asked_s', label: 'asked for at, s' }, y: 'took, ms' },
    ...{ lines: hasOracle ? WAYS.toReversed() : WAYS.slice(0, 1), as: 'points' },
  },
]

const MAP = {
  about:
    'Calls that are counted, and their answers, between the 256 towns of the model, which lie anywhere on the Earth, seas included.',
  ...{ peers: 'places', calls: 'calls', legend: CALLS_LEGEND },
}

export class LargeRoutingWatch implements RoutingWatch {
  readonly #seconds: Second[] = []
  readonly #jobs: JobSeen[] = []
  #routing: LargeRoutingWorld | undefined

  second(routing: LargeRoutingWorld): void {
    const { population, wheel, counts } = routing.world
    this.#routing = routing
    let [online, slots, running] = [0, 0, 0]
    for (let i = 0; i < population.size; i++) {
      if (population.online[i] === 0) continue
      online++
      slots += population.deviceOf(i).slots
      running += routing.executors.runningAt(i)
    }
    this.#seconds.push({ atMs: msOf(wheel.now), online, slots, running, counts: { ...counts } })
  }

  answered({ number, ticks, asks, executor }: AnsweredJob, { world }: LargeRoutingWorld): void {
    if (number > JOBS_MAX) return
    const { population, wheel } = world
    const tookMs = msOf(ticks)
    this.#jobs.push({
      ...{ number, tookMs, askedMs: msOf(wheel.now) - tookMs, travelMs: msOf(population.delayTicks(asks, executor)) },
      ...{ from: population.place[asks] as number, to: population.place[executor] as number },
    })
  }

  pictures({ oracleMs }: LargeRoutingReport): Pictures {
    const jobs = this.#jobs.toSorted((a, b) => a.number - b.number)
    const took = (this.#routing?.tookTicks ?? new Uint32Array(1)).subarray(1).filter((ticks) => ticks > 0)
    const hasOracle = oracleMs.length > 0
    const tables = {
      completion: quantilesOf({ peers_ms: Array.from(took, msOf), ...(hasOracle && { oracle_ms: oracleMs }) }),
      jobs: this.#jobsTable(jobs, oracleMs),
      seconds: this.#secondsTable(),
    }
    const plots = [...completionPlots(hasOracle), ...PLOTS]
    const { population, tables: known } = (this.#routing as LargeRoutingWorld).world
    const { points } = population.geography
    if (!points) return { tables, plots }
    const asking = new Set(Array.from(known.invokers, (peer) => population.place[peer]))
    const places = placesTable(points, (place) => asking.has(place))
    return { tables: { ...tables, places, calls: this.#callsTable(jobs) }, plots, map: MAP }
  }

  get #beganMs(): number {
    return (this.#seconds[0] as Second).atMs
  }

  #jobsTable(jobs: readonly JobSeen[], oracleMs: readonly number[]): Table {
    return {
      asked_s: jobs.map(({ askedMs }) => (askedMs - this.#beganMs) / 1000),
      peers_ms: jobs.map(({ tookMs }) => tookMs),
      ...(oracleMs.length > 0 && { oracle_ms: jobs.map(({ number }) => oracleMs[number - 1] as number) }),
    }
  }

  /** Rates are those since the second before. */
  #secondsTable(): Table {
    const pairs = this.#seconds.slice(1).map((now, i) => ({ now, before: this.#seconds[i] as Second }))
    const since = (key: keyof Counts) => pairs.map(({ now, before }) => now.counts[key] - before.counts[key])
    const [asked, refused, answered] = [since('executions'), since('refused'), since('answered')]
    const perAnswer = (counts: readonly number[]) => counts.map((count, i) => count / (answered[i] as number))
    return {
      at_s: pairs.map(({ before }) => (before.atMs - this.#beganMs) / 1000),
      online: pairs.map(({ now }) => now.online),
      running_share: pairs.map(({ now }) => now.running / now.slots),
      answered_per_s: answered,
      executions_per_answer: perAnswer(asked),
      hedges_per_answer: perAnswer(since('hedges')),
      lost_per_answer: perAnswer(since('lost')),
      asked_per_s: asked,
      refused_per_s: refused,
      others_per_s: since('messages').map((count, i) => count - (asked[i] as number) - (refused[i] as number)),
      load_words_per_s: since('loadWords'),
      bytes_per_s: since('bytes'),
    }
  }

  #callsTable(jobs: readonly JobSeen[]): Table {
    const since = (ms: number) => ms - this.#beganMs
    return callsTable(
      jobs.map(({ from, to, askedMs, tookMs, travelMs }) => ({
        ...{ from, to, askedMs: since(askedMs), answeredMs: since(askedMs + tookMs), travelMs },
      })),
    )
  }
}
