/** What an IP address leads to, by IANA's registries of special-purpose addresses (RFC 6890). */

/**
 * `private`: the owner's own networks, and those of the provider (RFC 6598). `link-local` is apart, since clouds keep their
 * machines' credentials there. `reserved`: nothing to fetch from, or a tunnel that may come out anywhere.
 */
export type AddressClass = 'public' | 'loopback' | 'private' | 'link-local' | 'multicast' | 'reserved' | 'malformed'

/** Four bytes; undefined if it is not four decimal numbers without leading zeros. */
const ipv4Bytes = (text: string): number[] | undefined => {
  const parts = text.split('.')
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part))) return undefined
  const bytes = parts.map(Number)
  return bytes.every((byte) => byte < 256) ? bytes : undefined
}

/** RFC 4291, 2.2: groups of four digits, whose last two may be written as an IPv4 address. */
const groupsOf = (text: string): number[] | undefined => {
  if (text === '') return []
  const parts = text.split(':')
  const last = parts.at(-1) as string
  const tail = last.includes('.') ? ipv4Bytes(last) : []
  if (tail === undefined) return undefined
  const plain = tail.length === 0 ? parts : parts.slice(0, -1)
  if (!plain.every((part) => /^[0-9a-fA-F]{1,4}$/.test(part))) return undefined
  const groups = plain.map((part) => Number.parseInt(part, 16))
  const [a, b, c, d] = tail as [number, number, number, number]
  return tail.length === 0 ? groups : [...groups, a * 256 + b, c * 256 + d]
}

/** Eight groups; a zone (`%eth0`) is left out. */
const ipv6Groups = (text: string): number[] | undefined => {
  const halves = text.replace(/%[^%]+$/, '').split('::')
  if (halves.length > 2) return undefined
  // Only what is last may be written as an IPv4 address.
  if (halves.length === 2 && halves[0]?.includes('.')) return undefined
  const [before, after] = [groupsOf(halves[0] as string), groupsOf(halves[1] ?? '')]
  if (before === undefined || after === undefined) return undefined
  const missing = 8 - before.length - after.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined
  return [...before, ...new Array<number>(missing).fill(0), ...after]
}

type Row = readonly [prefix: string, bits: number, AddressClass]

/** The first that fits counts. */
// biome-ignore format: a table reads best with one row a line.
const IPV4: readonly Row[] = [
  ['0.0.0.0', 8, 'reserved'],         // "this network": connects to this machine
  ['10.0.0.0', 8, 'private'],         // RFC 1918
  ['100.64.0.0', 10, 'private'],      // RFC 6598, carriers' NAT
  ['127.0.0.0', 8, 'loopback'],
  ['169.254.0.0', 16, 'link-local'],
  ['172.16.0.0', 12, 'private'],      // RFC 1918
  ['192.0.0.0', 24, 'reserved'],      // IETF protocols
  ['192.0.2.0', 24, 'reserved'],      // documentation
  ['192.88.99.0', 24, 'reserved'],    // 6to4 relays, RFC 7526
  ['192.168.0.0', 16, 'private'],     // RFC 1918
  ['198.18.0.0', 15, 'reserved'],     // benchmarks
  ['198.51.100.0', 24, 'reserved'],   // documentation
  ['203.0.113.0', 24, 'reserved'],    // documentation
  ['224.0.0.0', 4, 'multicast'],
  ['240.0.0.0', 4, 'reserved'],       // and broadcast
  ['0.0.0.0', 0, 'public'],
]

// biome-ignore format: a table reads best with one row a line.
const IPV6: readonly Row[] = [
  ['::1', 128, 'loopback'],
  ['fc00::', 7, 'private'],           // RFC 4193, unique local
  ['fe80::', 10, 'link-local'],
  ['ff00::', 8, 'multicast'],
  ['2001::', 23, 'reserved'],         // IETF protocols: Teredo, ORCHID, benchmarks
  ['2001:db8::', 32, 'reserved'],     // documentation
  ['2002::', 16, 'reserved'],         // 6to4, RFC 7526
  ['3fff::', 20, 'reserved'],         // documentation
  ['2000::', 3, 'public'],            // all that is given out, RFC 4291, 2.4
  ['::', 0, 'reserved'],
]

/** Those in whose last 32 bits an IPv4 address is, to which they lead: mapped (RFC 4291) and NAT64 (RFC 6052). */
const EMBEDDING = [
  ['::ffff:0:0', 96],
  ['64:ff9b::', 96],
] as const

const begins = (units: readonly number[], prefix: readonly number[], bits: number, unitBits: number): boolean =>
  prefix.every((unit, i) => {
    const counted = Math.min(unitBits, Math.max(0, bits - i * unitBits))
    return units[i]! >> (unitBits - counted) === unit >> (unitBits - counted)
  })

const ipv4Class = (bytes: readonly number[]): AddressClass =>
  IPV4.find(([prefix, bits]) => begins(bytes, ipv4Bytes(prefix) as number[], bits, 8))![2]

const ipv6Class = (groups: readonly number[]): AddressClass => {
  const fits = (prefix: string, bits: number) => begins(groups, ipv6Groups(prefix) as number[], bits, 16)
  if (EMBEDDING.some(([prefix, bits]) => fits(prefix, bits)))
    return ipv4Class(groups.slice(6).flatMap((group) => [group >> 8, group & 0xff]))
  // RFC 5214: an interface whose number says that its packets are put into IPv4.
  const isTunnel = (groups[4]! & 0xfdff) === 0 && groups[5] === 0x5efe
  return isTunnel ? 'reserved' : IPV6.find(([prefix, bits]) => fits(prefix, bits))![2]
}

/** Of an address as text, as resolvers give it. */
export const addressClass = (text: string): AddressClass => {
  const bytes = ipv4Bytes(text)
  if (bytes !== undefined) return ipv4Class(bytes)
  const groups = text.includes(':') ? ipv6Groups(text) : undefined
  return groups === undefined ? 'malformed' : ipv6Class(groups)
}

/** May a request go there? To the owner's own networks only if the grant says so; to some addresses never. */
export const mayReach = (address: string, isPrivateGranted: boolean): boolean => {
  const found = addressClass(address)
  return found === 'public' || (isPrivateGranted && (found === 'private' || found === 'loopback'))
}
