/** The part of Web Crypto that needs no secrets: digests, and random numbers that are seeded by the task. */
import { random, use } from './prelude-exports.ts'
import { viewOf } from './text.ts'

const RANDOM_BYTES_MAX = 65_536

const refused = (message: string, name: string): Error => {
  const { DOMException } = use('exception')
  return new DOMException(message, name)
}

export class SubtleCrypto {
  async digest(algorithm: string | { name: string }, data: unknown): Promise<ArrayBuffer> {
    const name = `${typeof algorithm === 'object' && algorithm !== null ? algorithm.name : algorithm}`
    const bytes = viewOf(data, 'SubtleCrypto.digest').slice()
    const hash = use('digest').hashOf(name.toUpperCase())
    if (hash === undefined) throw refused(`Unrecognized algorithm name: ${name}`, 'NotSupportedError')
    return hash(bytes).buffer as ArrayBuffer
  }
}

export class Crypto {
  #subtle = new SubtleCrypto()

  get subtle(): SubtleCrypto {
    return this.#subtle
  }

  /** Seeded by the task, as Math.random is: the same numbers in every run of it. Not fit for secrets. */
  getRandomValues<T>(array: T): T {
    const integers = /^(Uint|Int|BigUint|BigInt)\d+(Clamped)?Array$/
    const tag = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)
    if (!ArrayBuffer.isView(array) || !integers.test(tag?.get?.call(array) ?? ''))
      throw refused('crypto.getRandomValues: expected an array of integers', 'TypeMismatchError')
    if (array.byteLength > RANDOM_BYTES_MAX)
      throw refused(`crypto.getRandomValues: at most ${RANDOM_BYTES_MAX} bytes`, 'QuotaExceededError')
    const bytes = viewOf(array, 'crypto.getRandomValues')
    for (let i = 0; i < bytes.length; i++) bytes[i] = random() * 256
    return array
  }

  /** A UUID of version 4 (RFC 9562). */
  randomUUID(): string {
    const bytes = this.getRandomValues(new Uint8Array(16))
    bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40
    bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
    return hex.replace(/(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
  }
}

export const crypto = new Crypto()
