/** Hosts, after the URL standard ("Host parsing"). A host is kept as it is written: `example.com`, `127.0.0.1`, `[::1]`. */
import { percentDecode, percentEncode } from './percent.ts'
import { isValidLabel, mapDomain, punycodeDecode, punycodeEncode } from './punycode.ts'

const FORBIDDEN_HOST = /[\0\t\n\r #/:<>?@[\\\]^|]/
const FORBIDDEN_DOMAIN = /[\0-\x20#%/:<>?@[\\\]^|\x7f]/

/** One part of an IPv4 address: decimal, or octal after 0, or hexadecimal after 0x. NaN: it is none. */
const ipv4Number = (part: string): number => {
  if (part === '') return Number.NaN
  if (/^0x[0-9a-f]*$/i.test(part)) return part.length === 2 ? 0 : Number.parseInt(part.slice(2), 16)
  if (/^0[0-7]*$/.test(part)) return part === '0' ? 0 : Number.parseInt(part, 8)
  return /^[1-9][0-9]*$/.test(part) ? Number.parseInt(part, 10) : Number.NaN
}

const endsInNumber = (parts: readonly string[]): boolean => {
  const last = parts.at(-1) === '' && parts.length > 1 ? parts.at(-2) : parts.at(-1)
  return last !== undefined && (/^[0-9]+$/.test(last) || /^0x[0-9a-f]*$/i.test(last))
}

const parseIpv4 = (parts: readonly string[]): string | undefined => {
  const numbers = (parts.at(-1) === '' && parts.length > 1 ? parts.slice(0, -1) : parts).map(ipv4Number)
  const last = numbers.at(-1) as number
  const rest = numbers.slice(0, -1)
  if (numbers.length > 4 || numbers.some(Number.isNaN) || rest.some((n) => n > 255)) return undefined
  if (last >= 256 ** (5 - numbers.length)) return undefined
  let address = last
  for (const [i, n] of rest.entries()) address += n * 256 ** (3 - i)
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.')
}

/** The four bytes at the end of an IPv6 address that are written as in IPv4, as two pieces. */
const embeddedIpv4 = (text: string): number[] | undefined => {
  const bytes = text.split('.')
  if (bytes.length !== 4 || !bytes.every((b) => /^(0|[1-9][0-9]{0,2})$/.test(b) && Number(b) < 256)) return undefined
  const [a, b, c, d] = bytes.map(Number) as [number, number, number, number]
  return [a * 256 + b, c * 256 + d]
}

const ipv6Pieces = (text: string): number[] | undefined => {
  if (text === '') return []
  const pieces: number[] = []
  const parts = text.split(':')
  for (const [i, part] of parts.entries()) {
    const last = i === parts.length - 1
    const embedded = last && part.includes('.') ? embeddedIpv4(part) : undefined
    if (embedded) pieces.push(...embedded)
    else if (/^[0-9a-f]{1,4}$/i.test(part)) pieces.push(Number.parseInt(part, 16))
    else return undefined
  }
  return pieces
}

const parseIpv6 = (text: string): string | undefined => {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const [head, tail] = [ipv6Pieces(halves[0] as string), ipv6Pieces(halves[1] ?? '')]
  const missing = 8 - (head?.length ?? 9) - (tail?.length ?? 9)
  if (!head || !tail || (halves.length === 2 ? missing < 1 : missing !== 0)) return undefined
  // An address in the middle of which IPv4 is written has too few pieces before it.
  if (halves.length === 2 && (halves[0] as string).includes('.')) return undefined
  return `[${writeIpv6([...head, ...new Array(missing).fill(0), ...tail])}]`
}

const writeIpv6 = (pieces: readonly number[]): string => {
  let [best, length] = [-1, 1]
  for (let i = 0; i < 8; i++) {
    let end = i
    while (end < 8 && pieces[end] === 0) end++
    if (end - i > length) [best, length] = [i, end - i]
    i = Math.max(i, end - 1)
  }
  const hex = (from: number, to: number) =>
    pieces
      .slice(from, to)
      .map((piece) => piece.toString(16))
      .join(':')
  return best < 0 ? hex(0, 8) : `${hex(0, best)}::${hex(best + length, 8)}`
}

const isPunycode = (text: string): boolean => {
  const label = punycodeDecode(text)
  return label !== undefined && /[^\0-\x7f]/.test(label) && isValidLabel(label) && punycodeEncode(label) === text
}

const labelToAscii = (label: string): string | undefined => {
  const isAscii = !/[^\0-\x7f]/.test(label)
  if (label.startsWith('xn--')) return isAscii && isPunycode(label.slice(4)) ? label : undefined
  if (isAscii) return label
  return isValidLabel(label) ? `xn--${punycodeEncode(label)}` : undefined
}

/** A domain of ASCII alone is taken as it is; in any other, labels that are in Punycode already must be valid, too. */
const domainToAscii = (domain: string): string | undefined => {
  if (!/[^\0-\x7f]/.test(domain)) return domain.toLowerCase()
  const labels = mapDomain(domain).split('.').map(labelToAscii)
  return labels.includes(undefined) ? undefined : labels.join('.')
}

/** The host that `text` is, as it is written; undefined if it is none. */
export const parseHost = (text: string, special: boolean): string | undefined => {
  if (text.startsWith('[')) return text.endsWith(']') ? parseIpv6(text.slice(1, -1)) : undefined
  if (!special) return FORBIDDEN_HOST.test(text) ? undefined : percentEncode(text, '')
  const domain = domainToAscii(percentDecode(text))
  if (domain === undefined || domain === '' || FORBIDDEN_DOMAIN.test(domain)) return undefined
  const parts = domain.split('.')
  return endsInNumber(parts) ? parseIpv4(parts) : domain
}
