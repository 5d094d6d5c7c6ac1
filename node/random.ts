import { randomFillSync, randomInt } from 'node:crypto'
import type { Random } from '../protocol/ports.ts'

/** One system call for some eighty calls' nonces and secrets. */
const POOL_BYTES = 4096
let pool = new Uint8Array(0)
let used = 0

/** Bytes are handed out once, from a pool that is never used again. */
const bytes = (length: number): Uint8Array => {
  if (length > POOL_BYTES / 4) return randomFillSync(new Uint8Array(length))
  if (used + length > pool.length) {
    pool = randomFillSync(new Uint8Array(POOL_BYTES))
    used = 0
  }
  const taken = pool.slice(used, used + length)
  pool.fill(0, used, used + length)
  used += length
  return taken
}

/** The operating system's generator. `below` takes limits up to 2^48 - 1. */
export const systemRandom: Random = { bytes, below: (limit) => randomInt(limit) }
