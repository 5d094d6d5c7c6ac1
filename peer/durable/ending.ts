/** How an invocation ends that comes to no outcome, and what becomes of one whose record nobody can read. */
import type { DurableRecord } from '../../protocol/durable.ts'
import type { MeshError } from '../../protocol/errors.ts'
import { MESSAGE_CHARS_MAX } from '../../protocol/limits.ts'
import type { Ports } from '../../protocol/ports.ts'
import { commitKnown } from '../state/commit.ts'
import type { StateEngine } from '../state/engine.ts'
import type { Delegations } from './delegations.ts'
import { forget } from './forgetting.ts'
import { INVOCATIONS, PIECES, placeOf, placeOfPeer } from './names.ts'
import { allRecords, knownRecord, writeRecord } from './records.ts'

/**
 * As cancelled, or as failed for that cause. False: it is not as it has to be for that. Throws MeshError E_USAGE for one that is
 * not known, Damaged.
 */
export const endAs = async (
  clock: Ports['clock'],
  engine: StateEngine,
  id: string,
  may: (record: DurableRecord) => boolean,
  cause?: MeshError,
): Promise<boolean> => {
  const state = cause ? 'failed' : 'cancelled'
  const error = cause && { code: cause.code, message: cause.message.slice(0, MESSAGE_CHARS_MAX) }
  for (;;) {
    const { record, revision } = await knownRecord(engine, id)
    if (!may(record)) return false
    const writes = [writeRecord(id, { ...record, state, ...(error && { error }), ended_ms: clock.now() })]
    const reads = [{ namespace: INVOCATIONS, key: id }]
    const transaction = { id: `${id}/${state}`, revision, reads, ranges: [], writes }
    if ((await commitKnown(clock, engine, transaction)).kind === 'committed') return true
  }
}

/** Deletes all that is kept of one whose record cannot be read: in the home's own place, and of each caller that it knows. */
export const discard = async (
  { clock, crypto }: Pick<Ports, 'clock' | 'crypto'>,
  engine: StateEngine,
  delegations: Pick<Delegations, 'callerOf'>,
  id: string,
): Promise<void> => {
  const places = new Set([PIECES])
  const caller = await delegations.callerOf(id)
  if (caller) places.add(placeOfPeer(crypto, caller))
  // One that was called by another is of that one's caller.
  for await (const { record } of allRecords(engine)) places.add(placeOf(crypto, record))
  await forget({ clock }, engine, id, [...places])
}
