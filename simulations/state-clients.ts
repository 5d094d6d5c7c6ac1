/** Clients of a state engine, whatever engine it is: how they wait, fail and find out what became of a commit. */
import type { Committed, StateEngine, Transaction } from '../peer/state/engine.ts'
import { MeshError } from '../protocol/errors.ts'
import type { Random } from '../protocol/ports.ts'

export interface Clients {
  /** The engine that this client reaches now, waited for: after a crash it is another one. */
  engineOf(client: number): Promise<StateEngine>
  /** Hands control to others, for a while. */
  pause(): Promise<void>
  random: Random
  clients: number
  /** In all. */
  transactions: number
}

/** Of so many commits without an answer one is given up. */
const GIVEN_UP_ONE_IN = 6

/** What a client has to bear: it begins again. */
const isOutage = (error: unknown): boolean =>
  error instanceof MeshError && ['E_STORAGE', 'E_STATE_UNAVAILABLE', 'E_STATE_MOVING'].includes(error.code)

const isTooOld = (error: unknown): boolean => error instanceof MeshError && error.code === 'E_REVISION'

/** What `read` gives; undefined: there is no engine, or none that still has that revision. */
export const whileReachable = async <T>(read: () => Promise<T>): Promise<T | undefined> => {
  try {
    return await read()
  } catch (error) {
    if (isOutage(error) || isTooOld(error)) return undefined
    throw error
  }
}

/** Asks until it is known what came of it, with the same transaction each time, or now and then gives up: `unknown`. */
export const commitBy = async (
  { engineOf, pause, random }: Clients,
  client: number,
  transaction: Transaction,
): Promise<Committed | { kind: 'unknown' }> => {
  for (;;) {
    try {
      return await (await engineOf(client)).commit(transaction)
    } catch (error) {
      // Nothing changes where a revision is not known.
      if (isTooOld(error)) return { kind: 'conflict', namespace: '', key: '' }
      if (!isOutage(error)) throw error
      if (random.below(GIVEN_UP_ONE_IN) === 0) return { kind: 'unknown' }
      await pause()
    }
  }
}

/** Runs `perform` for each transaction, by its number; a client does one after another. */
export const byClients = async (
  { clients, transactions }: Clients,
  perform: (client: number, transaction: number) => Promise<void>,
): Promise<void> => {
  let begun = 0
  const work = async (client: number) => {
    while (begun < transactions) await perform(client, begun++)
  }
  await Promise.all(Array.from({ length: clients }, (_, client) => work(client)))
}
