/** Reads a binary module, never past its end. A number has one encoding, the shortest: what is longer is refused. */
import { refuse } from './refusal.ts'

const NAMES = new TextDecoder('utf-8', { fatal: true })

const U32_BYTES_MAX = 5
const S64_BYTES_MAX = 10
const CONTINUES = 0x80
const SIGN = 0x40

export class Reader {
  readonly bytes: Uint8Array
  at: number
  readonly end: number

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes
    this.at = at
    this.end = end
  }

  get done(): boolean {
    return this.at >= this.end
  }

  byte(): number {
    if (this.at >= this.end) refuse(`the bytes end too early, at ${this.at}`)
    return this.bytes[this.at++]!
  }

  /** The next byte, which stays; -1 at the end. */
  peek(): number {
    return this.at < this.end ? this.bytes[this.at]! : -1
  }

  u32(): number {
    const start = this.at
    let value = 0
    for (let length = 1; ; length++) {
      const byte = this.byte()
      value += (byte & (CONTINUES - 1)) * 2 ** (7 * (length - 1))
      if (byte < CONTINUES) {
        if ((length > 1 && byte === 0) || value > 0xffff_ffff) refuse(`a number at ${start} is too long`)
        return value
      }
      if (length === U32_BYTES_MAX) refuse(`a number at ${start} is too long`)
    }
  }

  /** Passes over a signed number of 32 or 64 bits, whose last bits are for the host to check. */
  skipSigned(): void {
    const start = this.at
    let before = 0
    for (let length = 1; ; length++) {
      const byte = this.byte()
      if (byte < CONTINUES) {
        const redundant = (byte === 0 && !(before & SIGN)) || (byte === 0x7f && (before & SIGN) !== 0)
        if (length > 1 && redundant) refuse(`a number at ${start} is too long`)
        return
      }
      if (length === S64_BYTES_MAX) refuse(`a number at ${start} is too long`)
      before = byte
    }
  }

  /** A signed number from 0 to 2^53 - 1. */
  natural(): number {
    const start = this.at
    this.skipSigned()
    let value = 0
    for (let at = this.at - 1; at >= start; at--) value = value * CONTINUES + (this.bytes[at]! & (CONTINUES - 1))
    if ((this.bytes[this.at - 1]! & SIGN) !== 0 || value > Number.MAX_SAFE_INTEGER) {
      refuse(`the number at ${start} is out of its range`)
    }
    return value
  }

  /** A number of things of which each takes at least one byte. */
  count(what: string, most: number): number {
    const count = this.u32()
    if (count > most) refuse(`${count} ${what} are more than ${most}`)
    if (count > this.end - this.at) refuse(`the bytes end before ${count} ${what}`)
    return count
  }

  skip(length: number): void {
    if (length > this.end - this.at) refuse(`the bytes end too early, at ${this.end}`)
    this.at += length
  }

  /** The next `length` bytes, as a reader of their own. */
  part(length: number): Reader {
    const start = this.at
    this.skip(length)
    return new Reader(this.bytes, start, this.at)
  }

  name(bytesMax: number): string {
    const length = this.u32()
    if (length > bytesMax) refuse(`a name of ${length} bytes is longer than ${bytesMax}`)
    const start = this.at
    this.skip(length)
    try {
      return NAMES.decode(this.bytes.subarray(start, this.at))
    } catch {
      return refuse(`the name at ${start} is not UTF-8`)
    }
  }
}
