/**
 * How soon durable invocations go on that have lost what ran them: their executor killed (SIGKILL) or silent (SIGSTOP), or
 * their home killed and started again at once. From the signal to the next thing that each of them does. Real agents on
 * loopback; what an invocation does is to ask a server, which notes when. Several run on an executor, and each that a signal
 * hits is a sample: of one signal they are not independent, so the number of signals is printed as well.
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

  /** Each time the executor that runs most, until there are enough samples. */
  async executors(name: string, blow: Blow): Promise<number[]> {
    const samples: number[] = []
    while (samples.length < SAMPLES) {
      const running = await this.#steady()
      const hit = Math.max(...running)
      const member = this.#executors[running.indexOf(hit)] as Member
      samples.push(...(await this.#strike(name, member, blow, hit)))
    }
    return this.#told(name, samples)
  }

  async home(name: string): Promise<number[]> {
    const samples: number[] = []
    while (samples.length < SAMPLES) {
      await this.#steady()
      samples.push(...(await this.#strike(name, this.#home, killAndStart, INVOCATIONS)))
    }
    return this.#told(name, samples)
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

  #told(name: string, samples: number[]): number[] {
    this.#print(`${row(name, 'ms', samples)}  p99 ${rounded(percentile(samples, 99))}, ${samples.length} samples`)
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

export const run = async (print: (line: string) => void): Promise<Record<string, number>> => {
  const dir = mkdtempSync(join(tmpdir(), 'wayside-recovery-'))
  const recovery = new Recovery(print)
  await recovery.open(dir)
  const [killed, silent, homeless] = await recovery.during(async () => [
    await recovery.executors('executor killed', kill),
    await recovery.executors('executor silent', stop),
    await recovery.home('home killed'),
  ])
  await recovery.close()
  const syncs = openSyncs(join(dir, 'sync'))
  const fsync_p50_ms = rounded(syncs.median())
  syncs.close()
  rmSync(dir, { recursive: true, force: true })
  return {
    executor_p99_ms: rounded(percentile(killed as number[], 99)),
    silent_p99_ms: rounded(percentile(silent as number[], 99)),
    home_p50_ms: rounded(median(homeless as number[])),
    fsync_p50_ms,
  }
}
