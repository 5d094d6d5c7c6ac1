/** Base32 as RFC 4648, section 6, has it, in lower case and without padding. */
const DIGITS = 'abcdefghijklmnopqrstuvwxyz234567'
const CODES = Uint8Array.from(DIGITS, (digit) => digit.charCodeAt(0))

/** Texts of many digits are made of stretches: each digit is an argument. */
const STRETCH = 4096

export const toBase32 = (bytes: Uint8Array): string => {
  const codes = new Uint8Array(Math.ceil((bytes.length * 8) / 5))
  let held = 0
  let bits = 0
  let at = 0
  for (const byte of bytes) {
    held = ((held & 31) << 8) | byte
    for (bits += 8; bits >= 5; bits -= 5) codes[at++] = CODES[(held >> (bits - 5)) & 31] as number
  }
  if (bits > 0) codes[at] = CODES[(held << (5 - bits)) & 31] as number
  let text = ''
  for (let from = 0; from < codes.length; from += STRETCH)
    // Not spread, which takes digit by digit.
    text += String.fromCharCode.apply(undefined, codes.subarray(from, from + STRETCH) as unknown as number[])
  return text
}

/** Throws Error for a character that is no digit. Bits behind the last whole byte are left out, whatever they are. */
export const fromBase32 = (text: string): Uint8Array => {
  const bytes = new Uint8Array(Math.floor((text.length * 5) / 8))
  let held = 0
  let bits = 0
  let at = 0
  for (const digit of text) {
    const five = DIGITS.indexOf(digit)
    if (five < 0) throw new Error(`${JSON.stringify(digit)} is no digit of base32`)
    held = ((held & 255) << 5) | five
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes[at++] = held >> bits
  }
  return bytes
}
