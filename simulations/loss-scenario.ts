/** Real peers, of which the first ones, by which all others joined, are killed at once: who stays together, who comes back, who can join. */
import { learnMesh, readInvitation } from '../peer/join.ts'
import { decodeValue } from '../protocol/values.ts'
import { createCostModelHost, MODEL_FUNCTION, modelInput, modelResult } from './cost-model.ts'
import { withKeyedHashes } from './keyed-hash.ts'
import { createDelays } from './places.ts'
import { createWorld, type Machine, type World, type WorldPeer } from './world.ts'

export interface LossScenario {
  machine: Machine
  /** 32 bits. */
  seed: number
  peers: number
}

export interface LossSeen {
  /** Since the first were killed. */
  atS: number
  /** Of those that are up. */
  neighboursMean: number
  neighboursLeast: number
  /** Those that had been away and are up again, and have no neighbour yet. */
  alone: number
}

export interface LossFigures {
  first: number
  /** Peers that were away meanwhile, and those of them that have a neighbour; how long the slowest was without. */
  returned: number
  rejoined: number
  rejoinMsMax: number
  /** Calls by those that stayed, each at another peer, and those that had the right answer. */
  calls: number
  right: number
  /** Can somebody join by a ticket of one of the first? By one of somebody else? */
  joinsByOldTicket: boolean
  joinsByNewTicket: boolean
  seen: readonly LossSeen[]
}

/** One of so many is one of the first, and one of so many is away. */
const ONE_IN = 10
const FIRST_MIN = 2
const SETTLING_MS = 2 * 60_000
const AWAY_MS = 10 * 60_000
/** So long peers are given to come back. */
const BACK_MS = 60_000
const LOOK_MS = 5000
const TICKET_MS = 60 * 60_000
const CALL_MS = 50

const neighboursOf = ({ peer }: WorldPeer): number => peer.status().neighbours.length

/** Everybody joins by one of `first`, in turn; these know each other. */
const gathered = async (scenario: LossScenario, first: number): Promise<World> => {
  const { seed, peers } = scenario
  const machine = withKeyedHashes(scenario.machine)
  const setup = () => ({ sandboxHost: (_: unknown, clock: World['clock']) => createCostModelHost(clock, () => 1) })
  const latencyMs = createDelays(seed)
  const world = await createWorld({ machine, seed, peers: first, latencyMs, setup, keepsEvent: () => false })
  const doors = world.peers.map(({ address }) => address)
  const others: WorldPeer[] = []
  for (let i = first; i < peers; i++) others.push(await world.add(setup()))
  await world.until(Promise.all(others.map(({ peer }, i) => peer.join(doors[i % first] as string))))
  await world.clock.advance(SETTLING_MS)
  return world
}

/** Does a machine that was never in the mesh get in by that ticket? */
const joins = async (world: World, ticket: string): Promise<boolean> => {
  const born = world.machine()
  await born.ports.network.start()
  const invitation = await readInvitation(born.ports, ticket)
  return world.until(
    learnMesh(born.ports, invitation).then(
      () => true,
      () => false,
    ),
  )
}

const called = async (world: World, callers: readonly WorldPeer[]): Promise<number> => {
  const published = await Promise.all(callers.map(({ peer }) => peer.publish(MODEL_FUNCTION)))
  const results = await world.until(
    Promise.all(
      callers.map(async ({ peer }, id) => {
        const { outcome } = await peer.call({
          ...{ function: (published[id] as (typeof published)[number]).cid, export: 'default' },
          ...{ level: { level: 'none' as const }, input: modelInput({ id, ms: CALL_MS }) },
          ...{ timeoutMs: BACK_MS, remote: true, depth: 0 },
        })
        return outcome.result.ok && decodeValue(outcome.result.value) === modelResult(id)
      }),
    ),
  )
  return results.filter((isRight) => isRight).length
}

/** The same figures for the same scenario. */
export const runLossScenario = async (scenario: LossScenario): Promise<LossFigures> => {
  const first = Math.max(FIRST_MIN, Math.floor(scenario.peers / ONE_IN))
  const world = await gathered(scenario, first)
  const doors = world.peers.slice(0, first)
  const away = world.peers.filter((_, i) => i >= first && i % ONE_IN === 0)
  const staying = world.peers.filter((one, i) => i >= first && !away.includes(one))
  const [door, stayed] = [doors[0], staying[0]] as [WorldPeer, WorldPeer]
  const oldTicket = await door.peer.invite(TICKET_MS, false)
  for (const one of away) world.kill(one)
  for (const one of doors) world.kill(one)
  const killedMs = world.clock.monotonic()
  const seen: LossSeen[] = []
  let back: WorldPeer[] = []
  const look = () => {
    const counts = [...staying, ...back].map(neighboursOf)
    seen.push({
      atS: (world.clock.monotonic() - killedMs) / 1000,
      neighboursMean: counts.reduce((sum, one) => sum + one, 0) / counts.length,
      neighboursLeast: Math.min(...counts),
      alone: back.filter((one) => neighboursOf(one) === 0).length,
    })
  }
  for (let ms = 0; ms < AWAY_MS; ms += LOOK_MS) {
    look()
    await world.clock.advance(LOOK_MS)
  }
  const beganMs = world.clock.monotonic()
  back = await Promise.all(away.map((one) => world.restart(one)))
  let rejoinMsMax = 0
  for (let ms = 0; ms < BACK_MS; ms += LOOK_MS) {
    look()
    if (seen.at(-1)?.alone !== 0) rejoinMsMax = world.clock.monotonic() - beganMs + LOOK_MS
    await world.clock.advance(LOOK_MS)
  }
  look()
  const right = await called(world, staying)
  const joinsByOldTicket = await joins(world, oldTicket)
  const joinsByNewTicket = await joins(world, await stayed.peer.invite(TICKET_MS, false))
  const rejoined = back.filter((one) => neighboursOf(one) > 0).length
  await world.stop()
  return {
    ...{ first, returned: back.length, rejoined, rejoinMsMax, calls: staying.length, right },
    ...{ joinsByOldTicket, joinsByNewTicket, seen },
  }
}
