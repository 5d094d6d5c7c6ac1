/** DER, as far as a certificate needs it: ITU-T X.690, sections 8 and 10. */

const lengthOf = (bytes: number): number[] => {
  if (bytes < 128) return [bytes]
  const digits: number[] = []
  for (let rest = bytes; rest > 0; rest >>>= 8) digits.unshift(rest & 0xff)
  return [0x80 | digits.length, ...digits]
}

/** One value: its tag, and what it consists of. */
export const der = (tag: number, ...parts: (Uint8Array | readonly number[])[]): Buffer => {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part)))
  return Buffer.concat([Buffer.from([tag, ...lengthOf(content.length)]), content])
}

export const sequence = (...parts: Uint8Array[]): Buffer => der(0x30, ...parts)
export const set = (...parts: Uint8Array[]): Buffer => der(0x31, ...parts)
export const octets = (bytes: Uint8Array): Buffer => der(0x04, bytes)
/** All of its bits count. */
export const bits = (bytes: Uint8Array): Buffer => der(0x03, [0], bytes)
export const text = (value: string): Buffer => der(0x0c, Buffer.from(value, 'utf8'))
export const TRUE = der(0x01, [0xff])
/** In place of what is explicitly tagged. */
export const tagged = (number: number, content: Uint8Array): Buffer => der(0xa0 | number, content)

/** A positive number, its digits in base 256. */
export const integer = (digits: Uint8Array): Buffer => der(0x02, (digits[0] ?? 0) >= 0x80 ? [0] : [], digits)

/** An object identifier such as `2.5.29.17`. */
export const oid = (dotted: string): Buffer => {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const bytes = [first * 40 + second, ...rest].flatMap((arc) => {
    const digits = [arc & 0x7f]
    for (let more = arc >>> 7; more > 0; more >>>= 7) digits.unshift(0x80 | (more & 0x7f))
    return digits
  })
  return der(0x06, bytes)
}

/** RFC 5280, 4.1.2.5: two digits of the year until 2049, then four. */
export const time = (ms: number): Buffer => {
  const digits = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '')
  return Number(digits.slice(0, 4)) < 2050 ? der(0x17, Buffer.from(digits.slice(2))) : der(0x18, Buffer.from(digits))
}
