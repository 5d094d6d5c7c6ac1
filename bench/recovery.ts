/**
 * How soon durable invocations go on that have lost what ran them: their executor killed (SIGKILL) or silent (SIGSTOP), or
 * their home killed and started again at once; these by turns. From the signal to the next thing that each of them does. Real
 * agents on loopback; what an invocation does is to ask a server, which notes when. Several run on an executor, and each that a
 * signal hits is a sample: of one signal they are not independent, so the number of signals is printed as well. At level
 * `none`, at which how they end is believed: their home runs them all the same, up to each checkpoint.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AgentStatus } from '../node/agent.ts'
import { createControlBackend } from '../node/control/backend.ts'
import { connectAgent } from '../node/control/client.ts'
import { fn } from '../node/sdk.ts'
import { sdkHost } from '../node/sdk-host.ts'
import { BackedMesh } from '../sdk/mesh.ts'
import { type BenchAgent, startAgent } from './agents.ts'
import { median, percentile, rounded, row } from './measure.ts'
import { openSyncs } from './syncs.ts'

/** Of each kind. */
const SAMPLES = 200
const EXECUTORS = 3
/** Each executor holds a third of all, and has room for half. */
const SLOTS = 2
const INVOCATIONS = 6
/** Each asks so often. One that has asked so many times is to end, and another begins. */
const TICK_MS = 50
const TICKS_MAX = 400
/** What was on its way when the signal was sent still arrives. */
const ON_ITS_WAY_MS = 40
/** Whoever has asked since is under way. */
const LATELY_MS = 500
const PATIENCE_MS = 30_000

const CODE = `export default async ({ id, origin }, { CLOCK }) => {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, ${TICK_MS}))
    if ((await (await CLOCK.fetch(origin + '/' + id)).text()) === 'end') return
  }
}`

/** What all invocations ask: it notes when, and says who is to end. */
class Ticks {
  readonly #server: Server
  /** Of each that has not ended, when it asked, ms. */
  readonly #asked = new Map<string, number[]>()
  readonly #ending = new Set<string>()

  constructor() {
    this.#server = createServer(({ url = '' }, response) => {
      const id = url.slice(1)
      this.#asked.get(id)?.push(performance.now())
      response.end(this.#ending.has(id) ? 'end' : 'go on')
    })
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  begins(id: string): void {
    this.#asked.set(id, [])
  }

  ended(id: string): void {
    this.#asked.delete(id)
    this.#ending.delete(id)
  }

  /** Those that have asked more than `most` times are to end. */
  end(most: number): void {
    for (const [id, instants] of this.#asked) if (instants.length > most) this.#ending.add(id)
  }

  /** All are under way, and none is about to end. */
  get isSteady(): boolean {
    const sinceMs = performance.now() - LATELY_MS
    const all = [...this.#asked.values()]
    return (
      this.#ending.size === 0 && all.length === INVOCATIONS && all.every((asked) => (asked.at(-1) as number) > sinceMs)
    )
  }

  /** How long each has paused since `atMs`, the longest first; undefined: one has not gone on yet. */
  pausesSince(atMs: number): number[] | undefined {
    const next = [...this.#asked.values()].map((asked) => asked.find((ms) => ms > atMs + ON_ITS_WAY_MS))
    if (next.includes(undefined)) return undefined
    return next.map((ms) => (ms as number) - atMs).sort((a, b) => b - a)
  }
}

const project = (dir: string, origin: string): string => {
  mkdirSync(dir)
  const env = { CLOCK: { fetch: [origin], read: true, private: true } }
  writeFileSync(join(dir, 'package.json'), '{"type":"module"}')
  writeFileSync(join(dir, 'wayside.json'), JSON.stringify({ env }))
  writeFileSync(join(dir, 'clock.js'), CODE)
  return join(dir, 'clock.js')
}

const statusOf = async ({ data }: BenchAgent): Promise<AgentStatus> => {
  const client = await connectAgent(data)
  const { status } = await client.ask({ t: 'status' }, 'status')
  client.close()
  return status as unknown as AgentStatus
}

/** Asks until it has an answer. */
const until = async <T>(what: string, ask: () => T | undefined | Promise<T | undefined>): Promise<T> => {
  const endMs = performance.now() + PATIENCE_MS
  for (;;) {
    const found = await ask()
    if (found !== undefined) return found
    if (performance.now() > endMs) throw new Error(`after ${PATIENCE_MS} ms ${what}`)
    await sleep(10)
  }
}

interface Member {
  agent: BenchAgent
}

/** Does something to an agent; what it returns undoes it. */
type Blow = (member: Member) => Promise<() => Promise<void>>

const kill: Blow = async (member) => {
  const { data } = member.agent
  await member.agent.kill()
  return async () => {
    member.agent = await startAgent({ cpus: SLOTS, data })
  }
}

const killAndStart: Blow = async (member) => {
  await (await kill(member))()
  return async () => {}
}

const stop: Blow = async ({ agent: { pid } }) => {
  process.kill(pid, 'SIGSTOP')
  return async () => {
    process.kill(pid, 'SIGCONT')
  }
}

class Recovery {
  readonly #ticks = new Ticks()
  readonly #print: (line: string) => void
  #home!: Member
  #executors: Member[] = []
  #origin = ''
  #file = ''
  #count = 0
  #isOver = false

  constructor(print: (line: string) => void) {
    this.#print = print
  }

  async open(dir: string): Promise<void> {
    this.#origin = await this.#ticks.listen()
    this.#file = project(join(dir, 'clock'), this.#origin)
    this.#home = { agent: await startAgent({ cpus: 1 }) }
    const lender = { cpus: SLOTS, join: this.#home.agent.ticket }
    for (let i = 0; i < EXECUTORS; i++) this.#executors.push({ agent: await startAgent(lender) })
  }

  /** Keeps so many invocations under way while `work` strikes. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    const lanes = Promise.all(Array.from({ length: INVOCATIONS }, () => this.#lane()))
    const done = await work()
    this.#isOver = true
    this.#ticks.end(0)
    await lanes
    return done
  }

  /** The executor that runs most. */
  async strikeExecutor(name: string, blow: Blow): Promise<number[]> {
    const running = await this.#steady()
    const hit = Math.max(...running)
    return this.#strike(name, this.#executors[running.indexOf(hit)] as Member, blow, hit)
  }

  async strikeHome(name: string): Promise<number[]> {
    await this.#steady()
    return this.#strike(name, this.#home, killAndStart, INVOCATIONS)
  }

  async close(): Promise<void> {
    await Promise.all([this.#home, ...this.#executors].map(({ agent }) => agent.stop()))
    this.#ticks.close()
  }

  /** Those that it hit are those that pause longest: others ask every 50 ms. */
  async #strike(name: string, member: Member, blow: Blow, hit: number): Promise<number[]> {
    const atMs = performance.now()
    const undo = await blow(member)
    const pauses = await until('an invocation has not gone on', () => this.#ticks.pausesSince(atMs))
    await undo()
    const samples = pauses.slice(0, hit)
    this.#print(`${name}: ${samples.map((ms) => Math.round(ms)).join(' ')}`)
    return samples
  }

  /** Until all are back, and all invocations are under way at them: how many at each. */
  #steady(): Promise<number[]> {
    return until('not all are under way', async () => {
      this.#ticks.end(TICKS_MAX)
      if (!this.#ticks.isSteady) return undefined
      const { neighbours } = await statusOf(this.#home.agent)
      if (neighbours.filter(({ slots }) => slots > 0).length < EXECUTORS) return undefined
      const running = await Promise.all(
        this.#executors.map(async ({ agent }) => (await statusOf(agent)).running.length),
      )
      const all = running.reduce((sum, count) => sum + count, 0)
      return all === INVOCATIONS ? running : undefined
    })
  }

  /** One invocation after another. */
  async #lane(): Promise<void> {
    while (!this.#isOver) {
      const id = `${this.#count++}`
      this.#ticks.begins(id)
      await this.#untilEnded(id)
      this.#ticks.ended(id)
    }
  }

  /** It ends, whatever becomes of the connection to its home. */
  async #untilEnded(id: string): Promise<void> {
    let started: string | undefined
    for (;;) {
      try {
        const backend = createControlBackend(await connectAgent(this.#home.agent.data))
        const mesh = new BackedMesh(sdkHost, backend)
        const input = { id, origin: this.#origin }
        started ??= (await mesh.start(fn(this.#file), input, { verify: 'none' })).id
        await backend.durable.wait(started)
        return await mesh.close()
      } catch {
        await sleep(20)
      }
    }
  }
}

/** Of one kind, by signals. */
interface Struck {
  name: string
  strike(name: string): Promise<number[]>
  pauses: number[][]
}

const countOf = ({ pauses }: Struck): number => pauses.flat().length

export const run = async (print: (line: string) => void): Promise<Record<string, number>> => {
  const dir = mkdtempSync(join(tmpdir(), 'wayside-recovery-'))
  const recovery = new Recovery(print)
  await recovery.open(dir)
  const syncs = openSyncs(join(dir, 'sync'))
  const fsyncs: number[] = []
  const killed: Struck = { name: 'executor killed', strike: (name) => recovery.strikeExecutor(name, kill), pauses: [] }
  const silent: Struck = { name: 'executor silent', strike: (name) => recovery.strikeExecutor(name, stop), pauses: [] }
  const homeless: Struck = { name: 'home killed', strike: (name) => recovery.strikeHome(name), pauses: [] }
  const kinds = [killed, silent, homeless]
  await recovery.during(async () => {
    // Whichever has fewest is next: a signal to the home gives more samples than one to an executor.
    while (kinds.some((kind) => countOf(kind) < SAMPLES)) {
      const next = kinds.reduce((fewest, kind) => (countOf(kind) < countOf(fewest) ? kind : fewest))
      next.pauses.push(await next.strike(next.name))
      fsyncs.push(syncs.median())
    }
  })
  await recovery.close()
  syncs.close()
  rmSync(dir, { recursive: true, force: true })
  const fsync_p50_ms = rounded(median(fsyncs))
  const figureOf = ({ name, pauses }: Struck, p: number): number => {
    const samples = pauses.flat()
    const figure = rounded(percentile(samples, p))
    const counts = `${samples.length} samples of ${pauses.length} signals`
    print(`${row(name, 'ms', samples)}  p${p} ${figure}, ${counts}  fsync_p50_ms ${fsync_p50_ms}`)
    return figure
  }
  return {
    executor_p99_ms: figureOf(killed, 99),
    silent_p99_ms: figureOf(silent, 99),
    home_p50_ms: figureOf(homeless, 50),
    fsync_p50_ms,
  }
}
