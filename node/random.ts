import { randomBytes, randomInt } from 'node:crypto'
import type { Random } from '../protocol/ports.ts'

/** The operating system's generator. `below` takes limits up to 2^48 - 1. */
export const systemRandom: Random = {
  bytes: (length) => new Uint8Array(randomBytes(length)),
  below: (limit) => randomInt(limit),
}
