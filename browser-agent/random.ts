import type { Random } from '../protocol/ports.ts'

/** The most that the browser gives at once. Source: Web Cryptography API, `getRandomValues`. */
const CHUNK_BYTES = 65_536

const bytes = (length: number): Uint8Array => {
  const filled = new Uint8Array(length)
  for (let at = 0; at < length; at += CHUNK_BYTES) crypto.getRandomValues(filled.subarray(at, at + CHUNK_BYTES))
  return filled
}

const SPAN = 2 ** 48
const words = new Uint16Array(3)

const below48Bits = (): number => {
  crypto.getRandomValues(words)
  const [high, middle, low] = words as unknown as [number, number, number]
  return (high * 65_536 + middle) * 65_536 + low
}

/** The browser's generator. `below` takes limits up to 2^48. */
export const pageRandom: Random = {
  bytes,
  below: (limit) => {
    // What lies above the last whole multiple would favour small numbers.
    const fair = SPAN - (SPAN % limit)
    for (;;) {
      const drawn = below48Bits()
      if (drawn < fair) return drawn % limit
    }
  },
}
