/** More executions of a task about which a quorum was not of one mind: whoever lied there lies to whom it cannot tell apart. */
import { MeshError } from '../protocol/errors.ts'
import type { Ports } from '../protocol/ports.ts'
import type { Item, Performed } from './calls.ts'
import { inTime } from './calls.ts'
import type { Invoker } from './invoker.ts'
import type { NeighbourTable } from './neighbours.ts'
import type { Standings } from './standings.ts'
import { WITNESSES } from './verdict.ts'

/** Whoever is outvoted is asked for nothing meanwhile. */
export const WITNESS_MS_MAX = 10_000

export interface WitnessParts {
  invoker: Pick<Invoker, 'perform'>
  neighbours: Pick<NeighbourTable, 'lenders'>
  standings: Pick<Standings, 'received'>
}

/** Up to `WITNESSES` of those not `asked` yet, by lot; each executes an item of its own and signs. Those that fail are left out. */
export const witnessesOf = async (
  ports: Pick<Ports, 'clock' | 'random'>,
  { invoker, neighbours, standings }: WitnessParts,
  asked: ReadonlySet<string>,
  prepare: () => Item,
): Promise<Performed[]> => {
  const free = neighbours.lenders().filter(({ peer }) => !asked.has(peer))
  const drawn: string[] = []
  while (drawn.length < WITNESSES && free.length > 0) {
    const [one] = free.splice(ports.random.below(free.length), 1)
    if (one) drawn.push(one.peer)
  }
  const testify = async (only: string): Promise<Performed | undefined> => {
    try {
      const item = prepare()
      const performed = await invoker.perform(item, { exclude: asked, only, patience: 1 }, () => {})
      await inTime(ports.clock, item, performed.receipt())
      standings.received(only)
      return performed
    } catch (cause) {
      if (!(cause instanceof MeshError)) throw cause
      return undefined
    }
  }
  const found = await Promise.all(drawn.map(testify))
  return found.filter((one) => one !== undefined)
}
