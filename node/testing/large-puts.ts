/** Large values that say which they are, and whether they are whole. */
import { MIB } from '../../protocol/limits.ts'

export const KEYS = ['a', 'b', 'c']
/** Three blocks. */
const BYTES = 1.25 * MIB

export const largePut = (n: number): Uint8Array => {
  const words = new Uint32Array(BYTES / 4).fill(n)
  return new Uint8Array(words.buffer)
}

/** 0: there is none. Throws for one that is not whole. */
export const numberIn = (value: Uint8Array | undefined): number => {
  if (!value) return 0
  const n = new DataView(value.buffer, value.byteOffset).getUint32(0, true)
  if (Buffer.compare(value, largePut(n)) !== 0) throw new Error(`the value of put ${n} is not whole`)
  return n
}
