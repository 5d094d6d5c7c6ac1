/** A day of the shop on six agents: executors and the home are killed, one agent lies, and connections break. */
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createControlBackend } from '../../node/control/backend.ts'
import { type AgentClient, connectAgent } from '../../node/control/client.ts'
import { sdkHost } from '../../node/sdk-host.ts'
import { LIST_ENTRIES_MAX } from '../../protocol/limits.ts'
import type { Random } from '../../protocol/ports.ts'
import { decodeValue, encodeValue } from '../../protocol/values.ts'
import { Agents, type DemoAgent } from '../../scripts/demo/agents.ts'
import type { Backend } from '../../sdk/backend.ts'
import { functionBundleOf } from '../../sdk/function-bundle.ts'
import { type Day, judge } from './judge.ts'
import type { Order, OrderInput } from './shop.ts'
import { Sinks } from './sinks.ts'

export const STOCK = {
  tea: { left: 60, price: 350 },
  coffee: { left: 40, price: 480 },
  honey: { left: 12, price: 990 },
}
type ItemName = keyof typeof STOCK

const LEVELS = ['self', 'quorum:2']
const SOURCE = fileURLToPath(new URL('./shop.ts', import.meta.url))
const POLL_MS = 20
const ORDER_MS_MAX = 300_000
/** A letter goes out after the order is booked. */
const POST_MS_MAX = 60_000

export interface DayOptions {
  /** So many come in at once, and as many again until all were killed and the liar was caught. */
  orders: number
  /** So many executors are killed, one after the other, and come back. */
  kills: number
  /** So often the home is. */
  homeKills: number
  random: Random
  /** Told what happens. */
  say?: (what: string) => void
}

const orderOf = (n: number, random: Random): OrderInput => ({
  id: `${n}`.padStart(4, '0'),
  item: Object.keys(STOCK)[random.below(3)] as ItemName,
  pieces: 1 + random.below(3),
  customer: random.below(8) === 0 ? `poor ${n}` : `customer ${n}`,
})

class ShopDay {
  readonly #options: DayOptions
  readonly #agents = new Agents(['honest', 'honest', 'honest', 'forger', 'honest', 'honest'])
  readonly #sinks: Sinks
  #client!: AgentClient
  #backend!: Backend
  #killed = 0

  constructor(options: DayOptions) {
    this.#options = options
    this.#sinks = new Sinks(() => options.random.below(8) === 0)
  }

  async run(): Promise<Day> {
    const { orders, random, say = () => {} } = this.#options
    try {
      const service = await this.#sinks.listen(0)
      await this.#agents.start(({ number, role }) => say(`agent ${number} is up: ${number === 1 ? 'the home' : role}`))
      await this.#connect()
      const called = await this.#publish(service)
      const stock = { service, stock: STOCK }
      const opened = await this.#backend.call({ ...called, export: 'open', input: encodeValue(stock), receipt: false })
      if (!opened.outcome.result.ok) throw new Error(opened.outcome.result.message)
      const inputs: OrderInput[] = []
      const ids: string[] = []
      for (let isOver = false; !isOver; isOver = this.#killed === this.#kills && (await this.#timesCaught()) > 0) {
        for (const end = ids.length + orders; ids.length < end; ) {
          const input = orderOf(ids.length, random)
          const verify = LEVELS[ids.length % LEVELS.length] as string
          const wanted = { ...called, verify, export: 'default', input: encodeValue({ ...input }) }
          inputs.push(input)
          ids.push(await this.#backend.durable.start(wanted))
        }
        say(`${orders} orders came in`)
        await this.#disturb(ids.length)
      }
      const answers = await Promise.all(ids.map((id) => this.#answerOf(id)))
      return await this.#close(inputs, answers)
    } finally {
      this.#client?.close()
      await this.#agents.stop()
      this.#sinks.close()
    }
  }

  /** Of executors and the home. */
  get #kills(): number {
    return this.#options.kills + this.#options.homeKills
  }

  get #home(): DemoAgent {
    return this.#agents.all[0] as DemoAgent
  }

  async #connect(): Promise<void> {
    this.#client = await connectAgent(this.#home.data)
    this.#backend = createControlBackend(this.#client)
  }

  async #publish(service: string) {
    const { bundle } = await sdkHost.bundle(SOURCE)
    const { cid } = await this.#backend.publish(functionBundleOf(bundle))
    const fetch = { fetch: [service], methods: ['POST'], private: true, onUnknown: 'retry' as const }
    const grants = { ...bundle.env, PAY: fetch, MAIL: fetch }
    return { function: cid, grants, timeoutMs: ORDER_MS_MAX, remote: true, verify: 'self' }
  }

  /** Until all have ended: the home is killed at once, then after so many of them one agent after the other; each comes back. */
  async #disturb(orders: number): Promise<void> {
    const { homeKills, random, say = () => {} } = this.#options
    const disturbances = this.#kills
    for (let done = 0; done < orders; ) {
      const left = (await this.#backend.durable.list(false)).length
      done = orders - left
      if (left > 0 && this.#killed < disturbances && done >= (this.#killed * orders) / (disturbances + 1)) {
        const isHome = homeKills > 0 && this.#killed % Math.ceil(disturbances / homeKills) === 0
        const others = this.#agents.all.filter(({ number, role, alive }) => number > 1 && role === 'honest' && alive)
        const victim = isHome ? this.#home : (others[random.below(others.length)] as DemoAgent)
        say(`${done} orders are done; agent ${victim.number}${isHome ? ', the home,' : ''} is killed`)
        if (isHome) this.#client.close()
        await this.#agents.killAndRevive(victim)
        if (isHome) await this.#connect()
        this.#killed++
      }
      await sleep(POLL_MS)
    }
  }

  async #answerOf(id: string): Promise<Order> {
    const { outcome, error } = await this.#backend.durable.wait(id)
    if (error) throw new Error(`${error.code}: ${error.message}`)
    const result = outcome?.result
    if (!result?.ok) throw new Error(result?.message ?? `invocation ${id} has no outcome`)
    return decodeValue(result.value) as unknown as Order
  }

  async #stateOf<T>(prefix: string): Promise<Map<string, T>> {
    const request = { t: 'state_list' as const, namespace: 'shop', prefix, after: null, limit: LIST_ENTRIES_MAX }
    const { entries } = await this.#client.ask({ ...request, revision: null, arriving: null }, 'state_page')
    return new Map(entries.map(({ key, value }) => [key.slice(prefix.length), decodeValue(value) as unknown as T]))
  }

  /** So often the home has noted that the liar signed for something else than what happened. */
  async #timesCaught(): Promise<number> {
    const { peer } = this.#agents.all.find(({ role }) => role === 'forger') as DemoAgent
    let caught = 0
    await new Promise<void>((resolve) => {
      this.#client.open(
        { t: 'logs', follow: false, about: peer },
        {
          answer: (frame) => {
            if (frame.t !== 'lines') return resolve()
            caught += frame.lines.filter((line) => JSON.parse(line).event === 'call.disputed').length
          },
          lost: () => resolve(),
        },
      )
    })
    return caught
  }

  async #close(inputs: readonly OrderInput[], answers: readonly Order[]): Promise<Day> {
    const sinks = this.#sinks
    const paid = answers.filter(({ state }) => state === 'paid').length
    const endMs = performance.now() + POST_MS_MAX
    while (sinks.letters.length < paid && performance.now() < endMs) await sleep(POLL_MS)
    return judge({
      ...{ stock: STOCK, inputs, answers, sinks, liarCaught: await this.#timesCaught(), killed: this.#killed },
      left: await this.#stateOf<{ left: number }>('stock/'),
      orders: await this.#stateOf<Order>('order/'),
    })
  }
}

export const runDay = (options: DayOptions): Promise<Day> => new ShopDay(options).run()
