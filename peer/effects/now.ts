/** The effect `now`: the home's clock. */
import type { Clock } from '../../protocol/ports.ts'
import { encodeValue } from '../../protocol/values.ts'

/** Ms since 1970, encoded. */
export const answerNow = (clock: Pick<Clock, 'now'>): Uint8Array => encodeValue(Math.floor(clock.now()))
