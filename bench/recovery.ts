/**
 * How soon durable invocations go on that have lost what ran them: their executor killed (SIGKILL) or silent (SIGSTOP), or
 * their home killed and started again at once. From the signal to the next thing that each of them does. Real agents on
 * loopback; what an invocation does is to ask a server, which notes when.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AgentStatus } from '../node/agent.ts'
import { createControlBackend } from '../node/control/backend.ts'
import { connectAgent } from '../node/control/client.ts'
import { fn, type Mesh } from '../node/sdk.ts'
import { sdkHost } from '../node/sdk-host.ts'
import { BackedMesh } from '../sdk/mesh.ts'
import { type BenchAgent, startAgent } from './agents.ts'
import { median, percentile, rounded, row } from './measure.ts'
import { openSyncs } from './syncs.ts'

/** Of each kind. */
const SAMPLES = 200
const EXECUTORS = 3
/** Invocations under way at a time. */
const LANES = 24
/** Each asks so often, and ends after so many times. */
const TICK_MS = 20
const TICKS = 250
/** What was on its way when the signal was sent still arrives. */
const ON_ITS_WAY_MS = 50
const PATIENCE_MS = 30_000

const CODE = `export default async ({ id, origin }, { CLOCK }) => {
  for (let n = 0; n < ${TICKS}; n++) {
    await new Promise((resolve) => setTimeout(resolve, ${TICK_MS}))
    await (await CLOCK.fetch(origin + '/' + id)).text()
  }
}`

interface Member {
  agent: BenchAgent
}

/** Instants at which each invocation that has not ended asked, ms. */
const asked = new Map<string, number[]>()

const startServer = async () => {
  const server = createServer(({ url = '' }, response) => {
    asked.get(url.slice(1))?.push(performance.now())
    response.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { server, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
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

/** Until all executors are in the home's reach, with room. */
const settled = async (home: BenchAgent): Promise<void> => {
  const endMs = performance.now() + PATIENCE_MS
  for (;;) {
    const { neighbours } = await statusOf(home)
    if (neighbours.filter(({ slots }) => slots > 0).length >= EXECUTORS) return
    if (performance.now() > endMs) throw new Error('not all executors came back')
    await sleep(50)
  }
}

/** When it first did something after a pause that began at `atMs`; undefined: it has not yet. */
const wentOnAt = (instants: readonly number[], atMs: number): number | undefined =>
  instants.find((ms) => ms > atMs + ON_ITS_WAY_MS)

/** Of the invocations that were under way at `atMs`, how long each has paused since, the longest first. */
const pausesSince = async (atMs: number, under: readonly string[]): Promise<number[]> => {
  const endMs = performance.now() + PATIENCE_MS
  const pauses = () => under.map((id) => wentOnAt(asked.get(id) ?? [], atMs))
  while (pauses().some((ms) => ms === undefined)) {
    if (performance.now() > endMs) throw new Error('an invocation does not go on')
    await sleep(10)
  }
  return pauses()
    .map((ms) => (ms as number) - atMs)
    .sort((a, b) => b - a)
}

class Bench {
  readonly #home: Member
  readonly #executors: Member[]
  readonly #origin: string
  readonly #file: string
  #count = 0
  #isOver = false

  constructor(home: BenchAgent, executors: BenchAgent[], origin: string, file: string) {
    this.#home = { agent: home }
    this.#executors = executors.map((agent) => ({ agent }))
    this.#origin = origin
    this.#file = file
  }

  run(): Promise<unknown> {
    return Promise.all(Array.from({ length: LANES }, () => this.#lane()))
  }

  over(): void {
    this.#isOver = true
  }

  /** Executors in turn, until there are enough samples. */
  async executors(strike: (member: Member) => Promise<() => Promise<void>>): Promise<number[]> {
    const samples: number[] = []
    for (let n = 0; samples.length < SAMPLES; n++) {
      const member = this.#executors[n % EXECUTORS] as Member
      await this.#steady()
      const { running } = await statusOf(member.agent)
      const under = [...asked.keys()]
      const atMs = performance.now()
      const revive = await strike(member)
      // Those that it ran are those that paused longest: others ask every 20 ms.
      samples.push(...(await pausesSince(atMs, under)).slice(0, running.length))
      await revive()
    }
    return samples
  }

  async home(): Promise<number[]> {
    const samples: number[] = []
    while (samples.length < SAMPLES) {
      await this.#steady()
      const under = [...asked.keys()]
      const atMs = performance.now()
      await this.#home.agent.kill()
      this.#home.agent = await startAgent({ cpus: 1, data: this.#home.agent.data })
      samples.push(...(await pausesSince(atMs, under)))
    }
    return samples
  }

  async stop(): Promise<void> {
    await Promise.all([this.#home, ...this.#executors].map(({ agent }) => agent.stop()))
  }

  async #steady(): Promise<void> {
    await settled(this.#home.agent)
    // Enough that are not about to end.
    while ([...asked.values()].filter((ticks) => ticks.length > 5 && ticks.length < TICKS / 2).length < LANES / 2)
      await sleep(20)
    for (const [id, ticks] of asked) if (ticks.length >= TICKS / 2) await this.#ended(id)
  }

  #ended(id: string): Promise<void> {
    return new Promise((resolve) => {
      const look = () => (asked.has(id) ? setTimeout(look, 10) : resolve())
      look()
    })
  }

  /** One invocation after another. */
  async #lane(): Promise<void> {
    while (!this.#isOver) {
      const id = `${this.#count++}`
      asked.set(id, [])
      await this.#begin(id)
      asked.delete(id)
    }
  }

  /** It ends, whatever becomes of the connection to its home. */
  async #begin(id: string): Promise<void> {
    let started: string | undefined
    for (;;) {
      try {
        const backend = createControlBackend(await connectAgent(this.#home.agent.data))
        const mesh: Mesh = new BackedMesh(sdkHost, backend)
        const input = { id, origin: this.#origin }
        started ??= (await mesh.start(fn(this.#file), input, { verify: 'none' })).id
        await backend.durable.wait(started)
        await mesh.close()
        return
      } catch {
        await sleep(20)
      }
    }
  }
}

const kill = async (member: Member) => {
  const { data } = member.agent
  await member.agent.kill()
  return async () => {
    member.agent = await startAgent({ cpus: 1, data })
  }
}

const stop = async ({ agent: { pid } }: Member) => {
  process.kill(pid, 'SIGSTOP')
  return async () => void process.kill(pid, 'SIGCONT')
}

export const run = async (print: (line: string) => void): Promise<Record<string, number>> => {
  const dir = mkdtempSync(join(tmpdir(), 'wayside-recovery-'))
  const { server, origin } = await startServer()
  const home = await startAgent({ cpus: 1 })
  const executors = await Promise.all(
    Array.from({ length: EXECUTORS }, () => startAgent({ cpus: 1, join: home.ticket })),
  )
  const bench = new Bench(home, executors, origin, project(join(dir, 'clock'), origin))
  const running = bench.run()
  const killed = await bench.executors(kill)
  print(row('executor killed', 'ms', killed))
  const silent = await bench.executors(stop)
  print(row('executor silent', 'ms', silent))
  const homeless = await bench.home()
  print(row('home killed', 'ms', homeless))
  bench.over()
  await running
  await bench.stop()
  server.close()
  const syncs = openSyncs(join(dir, 'sync'))
  const fsync_p50_ms = rounded(syncs.median())
  syncs.close()
  rmSync(dir, { recursive: true, force: true })
  return {
    executor_p99_ms: rounded(percentile(killed, 99)),
    silent_p99_ms: rounded(percentile(silent, 99)),
    home_p50_ms: rounded(median(homeless)),
    fsync_p50_ms,
  }
}
