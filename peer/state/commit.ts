/** A commit whose outcome becomes known: nothing is tried again blindly. */
import { MeshError } from '../../protocol/errors.ts'
import type { Clock } from '../../protocol/ports.ts'
import type { Committed, StateEngine, Transaction } from './engine.ts'

/** Whether a commit came to be, if the engine did not say so, is asked again and again for so long. */
const UNKNOWN_MS_MAX = 10_000
const ASK_AGAIN_MS = 100

/**
 * Asks again with the same transaction, which is looked up by its id. When the engine has not said within 10 s, or by
 * `deadlineMs` on the monotonic clock, throws MeshError E_EFFECT_OUTCOME_UNKNOWN; E_STORAGE if nothing of it was ever written.
 */
export const commitKnown = async (
  clock: Pick<Clock, 'monotonic' | 'after'>,
  engine: Pick<StateEngine, 'commit'>,
  transaction: Transaction,
  deadlineMs = Number.POSITIVE_INFINITY,
): Promise<Committed> => {
  const untilMs = Math.min(deadlineMs, clock.monotonic() + UNKNOWN_MS_MAX)
  for (let isDoubtful = false; ; ) {
    try {
      return await engine.commit(transaction)
    } catch (cause) {
      if (!mayCome(cause)) throw cause
      isDoubtful ||= !isUnwritten(cause)
      if (clock.monotonic() + ASK_AGAIN_MS > untilMs) throw isDoubtful ? outcomeUnknown(cause) : cause
    }
    await new Promise<void>((resolve) => clock.after(ASK_AGAIN_MS, resolve))
  }
}

/** Of whatever a write to the storage throws (protocol/ports.ts). */
export const isUnwritten = (cause: unknown): boolean =>
  cause instanceof MeshError && cause.code === 'E_STORAGE' && cause.fields.written === false

const mayCome = (cause: unknown): cause is MeshError =>
  cause instanceof MeshError && (cause.code === 'E_STATE_UNAVAILABLE' || cause.code === 'E_STORAGE')

const outcomeUnknown = (cause: MeshError): MeshError => {
  const message = `whether what was written is kept is not known: ${cause.message}`
  return new MeshError('E_EFFECT_OUTCOME_UNKNOWN', message, { cause })
}
