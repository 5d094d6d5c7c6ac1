import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Report } from './frames.ts'
import type { SandboxResult, SandboxRun } from './pool.ts'
import { done, ok, type ToldProcess, world } from './pool-fixture.ts'

/** A worker that keeps to its words, whose steps take as long as the test likes. Its runs ask so often, one request behind the other. */
class Worker {
  readonly #process: ToldProcess
  readonly #asks: ReadonlyMap<number, number>
  /** Of runs that wait here. */
  readonly #answers = new Map<number, number>()
  #taken = 0
  readonly #steps: (() => Report[])[] = []

  constructor(process: ToldProcess, asks: ReadonlyMap<number, number>) {
    this.#process = process
    this.#asks = asks
  }

  #next(id: number, answers: number, asked: number): Report[] {
    this.#answers.delete(id)
    if (answers === this.#asks.get(id)) return [done(id)]
    this.#answers.set(id, answers)
    const request: Report = ['request', id, answers, answers, 'call', Uint8Array.of(1)]
    return [...(asked > answers ? [] : [request]), ['waiting', id]]
  }

  #obey(): void {
    for (const command of this.#process.commands.slice(this.#taken)) {
      if (command[0] === 'drop') this.#steps.push(() => [void this.#answers.delete(command[1])].flatMap(() => []))
      if (command[0] === 'runs')
        for (const [id, , , journal] of command[7]) {
          const answers = journal.filter(({ entry }) => entry === 'answer').length
          this.#steps.push(() => this.#next(id, answers, journal.length - answers))
        }
      if (command[0] === 'answer') {
        const [, id, n] = command
        this.#steps.push(() => (this.#answers.get(id) === n ? this.#next(id, n + 1, n + 1) : [['lacks', id]]))
      }
    }
    this.#taken = this.#process.commands.length
  }

  /** Comes up, or ends the step that it is at. */
  go(): void {
    if (this.#process.killed) return
    if (this.#process.starting) return this.#process.up()
    this.#obey()
    for (let reports: Report[] = []; reports.length === 0; ) {
      const step = this.#steps.shift()
      if (!step) return
      reports = step()
      if (reports.length > 0) this.#process.report(...reports)
    }
  }
}

const SLOTS_MAX = 3
const some = fc.nat(30)
const event = fc.oneof(
  fc.record({
    kind: fc.constant('run' as const),
    asks: fc.nat(3),
    function: fc.nat(1),
    engine: fc.constantFrom(undefined, undefined, 'old', 'new'),
  }),
  fc.record({ kind: fc.constantFrom('go' as const, 'go' as const, 'answer' as const, 'kill' as const), which: some }),
  fc.record({ kind: fc.constant('crash' as const), which: some }),
  fc.record({ kind: fc.constant('resize' as const), slots: fc.integer({ min: 1, max: SLOTS_MAX }) }),
  fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(0, 1, 39, 40, 41, 300) }),
  fc.record({ kind: fc.constant('stopped' as const), ms: fc.constantFrom(50, 2000) }),
)
const events = fc.array(event, { minLength: 5, maxLength: 60 })

type Event = typeof event extends fc.Arbitrary<infer E> ? E : never

const CRASHED = 'its process ended: signal SIGSEGV'

const endOf = (result: SandboxResult): string => (result.kind === 'inconclusive' ? result.reason : result.kind)

const jobOf = (event: Extract<Event, { kind: 'run' }>) => ({
  functionId: `f${event.function}`,
  ...(event.engine && { engine: event.engine }),
})

interface Begun {
  run: SandboxRun
  asked: number[]
  isKilled: boolean
}

const answer = ({ run, asked }: Begun) => {
  const n = asked.shift()
  if (n !== undefined) run.answer(n, ok(n))
}

/** A pool whose processes work when they are told to, and whose agent may be stopped. */
const scene = (slots: number, starting: boolean) => {
  const { clock, pool, processes, run, settle } = world(slots, 60_000, undefined, starting)
  /** Timers that are to ring once the agent goes on; undefined: it is not stopped. */
  let stopped: (() => void)[] | undefined
  const after = clock.after.bind(clock)
  clock.after = (ms, ring) => after(ms, () => (stopped ? void stopped.push(ring) : ring()))
  const runs: Begun[] = []
  const asks = new Map<number, number>()
  const workers = new Map<ToldProcess, Worker>()
  const alive = () => processes.filter(({ killed }) => !killed)
  const workersNow = () =>
    alive().map((process) => {
      const worker = workers.get(process) ?? new Worker(process, asks)
      workers.set(process, worker)
      return worker
    })
  const begin = (most: number, job: { functionId: string; engine?: string }) => {
    asks.set(runs.length + 1, most)
    const asked: number[] = []
    const onRequest = ({ n }: { n: number }) => void asked.push(n)
    runs.push({ run: run({ ...job, timeoutMs: 1e9, onRequest }), asked, isKilled: false })
  }
  const crash = (which: number) => {
    const process = alive()[which % alive().length]
    if (!process) return
    process.killed = true
    process.crash()
  }
  const stop = async (ms: number) => {
    const late: (() => void)[] = []
    stopped = late
    await clock.advance(ms)
    stopped = undefined
    for (const ring of late) ring()
  }
  const take = async (event: Event) => {
    if (event.kind === 'run') begin(event.asks, jobOf(event))
    else if (event.kind === 'resize') pool.resize(event.slots)
    else if (event.kind === 'pass') await clock.advance(event.ms)
    else if (event.kind === 'stopped') await stop(event.ms)
    else {
      const [all, one] = [workersNow(), runs[event.which % runs.length]]
      if (event.kind === 'go') all[event.which % all.length]?.go()
      else if (event.kind === 'crash') crash(event.which)
      else if (event.kind === 'answer' && one) answer(one)
      else if (one) {
        one.isKilled ||= one.run.state() !== 'done'
        one.run.kill('cancelled')
      }
    }
    await settle()
    expect(alive().length).toBeLessThanOrEqual(SLOTS_MAX)
  }
  /** All that is to be done is done. */
  const end = async () => {
    const areDone = () => runs.every(({ run }) => run.state() === 'done')
    for (let turn = 0; turn < 1000 && !areDone(); turn++) {
      for (const worker of workersNow()) worker.go()
      await settle()
      for (const one of runs) answer(one)
      await clock.advance(1)
    }
    // What nobody wants has had its time.
    await clock.advance(10_000)
  }
  return { pool, runs, take, end }
}

test('whatever takes long, is cancelled, or stands still, each run that is wanted ends as its function does', async () => {
  const setting = fc.record({ slots: fc.integer({ min: 1, max: SLOTS_MAX }), starting: fc.boolean(), events })
  await fc.assert(
    fc.asyncProperty(setting, async ({ slots, starting, events }) => {
      const { pool, runs, take, end } = scene(slots, starting)
      for (const event of events) await take(event)
      await end()
      const ends = await Promise.all(runs.map(async ({ run }) => endOf(await run.result)))
      const crashes = events.filter(({ kind }) => kind === 'crash').length
      const wanted = ends.filter((_, i) => !runs[i]?.isKilled)
      expect(wanted.filter((end) => end !== 'outcome' && end !== CRASHED)).toEqual([])
      expect(wanted.filter((end) => end === CRASHED).length).toBeLessThanOrEqual(crashes)
      expect([pool.queued, pool.free]).toEqual([0, pool.slots])
    }),
    { numRuns: 500 },
  )
})
