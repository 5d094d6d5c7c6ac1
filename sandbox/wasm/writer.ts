/** Bytes of a binary module as they grow. */
export class Writer {
  #bytes = new Uint8Array(4096)
  #length = 0

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  byte(byte: number): void {
    this.#reserve(1)
    this.#bytes[this.#length++] = byte
  }

  append(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  u32(value: number): void {
    for (; value >= 0x80; value = Math.floor(value / 0x80)) this.byte((value & 0x7f) | 0x80)
    this.byte(value)
  }

  /** A number from 0 to 2^53 - 1 as a signed one. */
  natural(value: number): void {
    for (; value >= 0x40; value = Math.floor(value / 0x80)) this.byte((value & 0x7f) | 0x80)
    this.byte(value)
  }

  name(text: string): void {
    this.sized(new TextEncoder().encode(text))
  }

  /** `bytes` after their number. */
  sized(bytes: Uint8Array): void {
    this.u32(bytes.length)
    this.append(bytes)
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more))
    larger.set(this.bytes)
    this.#bytes = larger
  }
}
