/** Real agents of one mesh that are stopped, and started again as a newer release, one after the other, while they are called. */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import type { Random } from '../../protocol/ports.ts'
import type { AgentReleases } from '../../scripts/test/agent-releases.ts'
import { fn, type Mesh } from '../sdk.ts'
import { connected, endsOf } from './durable-kills.ts'
import { freshProject, startAgent, type TestAgent, until } from './wayside.ts'

/** Each says how deep it got: over 1,000 calls on this engine, under 300 on the older. */
const CODE = `
const reached = () => {
  let depth = 0
  const deeper = () => { depth++; deeper() }
  try { deeper() } catch { return depth }
}
export const order = async ({ id, ms }, { DB }) => {
  const begun = reached()
  await new Promise((resolve) => setTimeout(resolve, ms))
  if ((await DB.get('order/' + id)) !== null) throw new Error('ordered before')
  const count = ((await DB.get('count')) ?? 0) + 1
  DB.put('count', count)
  DB.put('order/' + id, count)
  return { id, count, depths: [begun, reached()] }
}
export const double = (n) => ({ twice: 2 * n, depth: reached() })
export const total = async (_, { DB }) => (await DB.get('count')) ?? 0
`
interface Ordered {
  id: string
  count: number
  depths: [number, number]
}

/** The sleeps of the lanes that order: one lasts beyond the upgrade of an agent. */
const LANES_MS = [20, 20, 1500]
const CALLING_LANES = 2

class Load {
  readonly file = join(freshProject({ DB: { state: 'shop' } }, { 'shop.js': CODE }), 'shop.js')
  readonly #data: string
  /** Depths that calls came to. */
  readonly calls: number[] = []
  readonly begun: string[] = []
  /** Calls that ended with an error while their home was up. */
  readonly failed: unknown[] = []
  /** Undefined: it is being upgraded. */
  #client: Mesh | undefined
  #isOver = false
  #count = 0

  constructor(data: string) {
    this.#data = data
  }

  async homeIsUp(): Promise<void> {
    this.#client = await connected(this.#data)
  }

  /** What is under way ends here; who asked hears of it. */
  async homeGoes(): Promise<void> {
    const client = this.#client
    this.#client = undefined
    await client?.close()
  }

  async run(): Promise<void> {
    const lanes = [
      ...LANES_MS.map((ms) => () => this.#order(ms)),
      ...Array.from({ length: CALLING_LANES }, () => () => this.#call()),
    ]
    await Promise.all(lanes.map((one) => this.#lane(one)))
  }

  over(): void {
    this.#isOver = true
  }

  /** Until so many more of each kind have ended, or begun. */
  async flows(more: number): Promise<void> {
    const [calls, begun] = [this.calls.length + more, this.begun.length + more]
    await until(() => this.failed.length > 0 || (this.calls.length >= calls && this.begun.length >= begun))
    expect(this.failed).toEqual([])
  }

  async #lane(once: () => Promise<void>): Promise<void> {
    while (!this.#isOver) {
      const client = this.#client
      try {
        if (client) await once()
        else await sleep(20)
      } catch (cause) {
        if (this.#client === client) this.failed.push(cause)
        // Whoever waits for a failure has a turn.
        await sleep(20)
      }
    }
  }

  async #order(ms: number): Promise<void> {
    const input = { id: `${this.#count++}`, ms }
    const started = await this.#mesh.start(fn<(input: unknown) => unknown>(this.file, { export: 'order' }), input)
    this.begun.push(started.id)
    await started.result()
  }

  async #call(): Promise<void> {
    const n = this.#count++
    const double = fn<(n: number) => { twice: number; depth: number }>(this.file, { export: 'double' })
    const { twice, depth } = await this.#mesh.call(double, n)
    expect(twice).toBe(2 * n)
    this.calls.push(depth)
  }

  get #mesh(): Mesh {
    return this.#client as Mesh
  }
}

/** Upgrades `count` agents in an order by chance; `more` of each kind are waited for between two of them. */
export const upgradeAgents = async (
  { older, newer }: AgentReleases,
  random: Random,
  { count, more }: { count: number; more: number },
): Promise<void> => {
  const home = await startAgent([], { program: older })
  const join = ['--join', home.status.ticket as string]
  const agents: TestAgent[] = [home]
  for (let i = 1; i < count; i++) agents.push(await startAgent(join, { program: older }))
  const load = new Load(home.data)
  await load.homeIsUp()
  const running = load.run()
  try {
    await load.flows(more)
    for (const left = agents.map((_, i) => i); left.length > 0; ) {
      const [i] = left.splice(random.below(left.length), 1) as [number]
      if (i === 0) await load.homeGoes()
      const { data, stop } = agents[i] as TestAgent
      const { status, stderr } = await stop()
      expect([status, stderr]).toEqual([0, expect.any(String)])
      agents[i] = await startAgent([], { program: newer, data })
      if (i === 0) await load.homeIsUp()
      await load.flows(more)
    }
  } finally {
    load.over()
  }
  await running
  expect(load.failed).toEqual([])
  await ensureWhole(load, home.data)
  await load.homeGoes()
  await Promise.all(agents.map(({ stop }) => stop()))
}

const isNewer = (depth: number): boolean => depth >= 1000

const ensureWhole = async (load: Load, data: string): Promise<void> => {
  const ends = await endsOf(data)
  expect(load.begun.filter((id) => !ends.has(id))).toEqual([])
  const orders = [...ends.values()] as Ordered[]
  // Each has counted once, whoever ran it, and on one engine from its beginning to its end.
  expect(orders.map(({ count }) => count).sort((a, b) => a - b)).toEqual(orders.map((_, i) => i + 1))
  for (const { depths } of orders) expect(isNewer(depths[0])).toBe(isNewer(depths[1]))
  for (const all of [orders.map(({ depths }) => depths[0]), load.calls])
    expect(new Set(all.map(isNewer))).toEqual(new Set([true, false]))
  const client = await connected(data)
  expect(await client.call(fn<() => number>(load.file, { export: 'total' }), null as never)).toBe(orders.length)
  await client.close()
}
