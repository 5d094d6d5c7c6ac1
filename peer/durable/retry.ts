/** What is tried again where something durable could not be done just now. */
import { ERRORS, MeshError } from '../../protocol/errors.ts'

/** How long one waits: twice as long each time. */
export const RETRY_MS = { least: 100, most: 10_000 }

/** A commit whose outcome is not known is looked up by running again: its id, and the record, are the same. */
export const mayGoOn = (cause: unknown, hasTime: boolean): boolean =>
  hasTime &&
  cause instanceof MeshError &&
  (cause.code === 'E_EFFECT_OUTCOME_UNKNOWN' || ERRORS[cause.code].retry !== 'never')
