/** Homes on a cluster that lasts as long as work on it does, while its nodes, homes and the roads between them fail in turn. */
import type { StateEngine } from '../../../peer/state/engine.ts'
import type { Random } from '../../../protocol/ports.ts'
import { type Cluster, startCluster } from '../../../scripts/etcd/cluster.ts'
import type { Clients } from '../../../simulations/state-clients.ts'
import { openEtcdEngine } from '../engine.ts'
import { SlowRoad } from './slow-road.ts'

const HOMES = 3
/** Longer than an election takes. */
const FAULT_MS = 1200
/** Longer than a lease lasts. */
const CUT_OFF_MS = 4500
const BETWEEN_MS = 500

const FAULTS = ['leader killed', 'leader paused', 'home closed', 'home killed', 'home cut off'] as const
type Fault = (typeof FAULTS)[number]

const pass = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

interface Home {
  roads: readonly SlowRoad[]
  engine: Promise<StateEngine>
}

class FaultyHomes {
  readonly counts: Record<Fault, number> = {
    'leader killed': 0,
    'leader paused': 0,
    'home closed': 0,
    'home killed': 0,
    'home cut off': 0,
  }
  readonly #cluster: Cluster
  readonly #homes: readonly Home[]
  readonly #killed: Promise<void>[] = []
  readonly #below: Random['below']

  constructor(cluster: Cluster, homes: readonly Home[], below: Random['below']) {
    this.#cluster = cluster
    this.#homes = homes
    this.#below = below
  }

  engineOf(client: number): Promise<StateEngine> {
    return (this.#homes[client % HOMES] as Home).engine
  }

  /** One after another, until `work` is done. */
  async during<T>(work: Promise<T>): Promise<T> {
    let isDone = false
    const done = work.finally(() => {
      isDone = true
    })
    const faults = async () => {
      for (let n = 0; !isDone; n++) {
        const fault = FAULTS[n % FAULTS.length] as Fault
        await this.#cause(fault)
        this.counts[fault] += 1
        await pass(BETWEEN_MS)
      }
    }
    const [result] = await Promise.all([done, faults()])
    return result
  }

  async close(): Promise<void> {
    await Promise.all(this.#killed)
    for (const { engine, roads } of this.#homes) {
      await (await engine).close()
      await Promise.all(roads.map((road) => road.close()))
    }
    await this.#cluster.close()
  }

  async #cause(fault: Fault): Promise<void> {
    const home = this.#homes[this.#below(HOMES)] as Home
    if (fault === 'home closed') {
      const before = home.engine
      home.engine = before.then((engine) => engine.close()).then(() => open(home.roads))
      await home.engine
    } else if (fault === 'home killed') {
      this.#killed.push(kill(home))
      home.roads = await openRoads(this.#cluster)
      home.engine = open(home.roads)
      await home.engine
    } else if (fault === 'home cut off') {
      for (const road of home.roads) road.hold()
      await pass(CUT_OFF_MS)
      await Promise.all(home.roads.map((road) => road.release()))
    } else await this.#failLeader(fault)
  }

  async #failLeader(fault: 'leader killed' | 'leader paused'): Promise<void> {
    const leader = await this.#cluster.leader()
    if (leader === undefined) return
    if (fault === 'leader paused') this.#cluster.pause(leader)
    else await this.#cluster.kill(leader)
    await pass(FAULT_MS)
    if (fault === 'leader paused') this.#cluster.resume(leader)
    else await this.#cluster.start(leader)
  }
}

const open = (roads: readonly SlowRoad[]) =>
  openEtcdEngine({
    endpoints: roads.map(({ endpoint }) => endpoint),
    home: 'home',
    prefix: 'faulty/',
    quotaOf: () => ({ keys: 1_000_000, bytes: 2 ** 30 }),
    waitMs: 10_000,
  })

/** As SIGKILL: nothing of it reaches etcd any more, so its lease stands until it ends. */
const kill = async ({ engine, roads }: Home): Promise<void> => {
  for (const road of roads) road.cut()
  await (await engine).close()
  await Promise.all(roads.map((road) => road.close()))
}

const openRoads = async ({ endpoints }: Cluster): Promise<SlowRoad[]> => {
  const roads = endpoints.map((endpoint) => new SlowRoad(endpoint))
  await Promise.all(roads.map((road) => road.open()))
  return roads
}

const startFaultyHomes = async ({ below }: Random): Promise<FaultyHomes> => {
  const cluster = await startCluster()
  const homes = Array.from({ length: HOMES }, async () => {
    const roads = await openRoads(cluster)
    return { roads, engine: open(roads) }
  })
  return new FaultyHomes(cluster, await Promise.all(homes), below)
}

const pause = () => new Promise<void>((resolve) => setImmediate(resolve))

/** What `work` comes to while faults happen, and how many of each did. */
export const amidFaults = async <T>(
  random: Random,
  work: (clients: Pick<Clients, 'engineOf' | 'pause' | 'random'>) => Promise<T>,
): Promise<{ result: T; faults: Record<Fault, number> }> => {
  const homes = await startFaultyHomes(random)
  try {
    const engineOf = (client: number) => homes.engineOf(client)
    return { result: await homes.during(work({ engineOf, pause, random })), faults: homes.counts }
  } finally {
    await homes.close()
  }
}
