/** A trace, to be compared and read. */
import type { Tracer } from '../tracer.ts'

const SHOWN_BYTES = 8

export const traceText = ({ trace }: Tracer): string =>
  JSON.stringify(
    trace.map(({ tick, hash }) => [
      tick,
      Array.from(hash.subarray(0, SHOWN_BYTES), (byte) => byte.toString(16).padStart(2, '0')).join(''),
    ]),
  )
