/**
 * What goes over multicast DNS (RFC 6762): who of a mesh is asked for, and where one is. A peer is an instance of a
 * service, its addresses are texts `dnsaddr=MULTIADDR`, as in libp2p's specification of discovery by mDNS.
 */
import { type Answer, decode, encode } from 'dns-packet'
import { isPeerId } from '../protocol/identity.ts'
import type { Sighting } from '../protocol/ports.ts'

/** What fits into one Ethernet frame. RFC 6762 allows 9000 bytes; none of ours is that long. */
export const PACKET_BYTES_MAX = 1472
/** On one network a machine has an address or two, each with TCP and perhaps WebSockets. */
export const ADDRESSES_SAID_MAX = 4
/** A packet of ours holds one question, or a peer and its addresses. */
const RECORDS_MAX = 8
/** Where a packet says how many questions, answers, authorities and additional records it holds. */
const COUNTS_AT = [4, 6, 8, 10]
const HEADER_BYTES = 12
const TEXT = 'dnsaddr='
/** Longer texts do not fit into a DNS string. */
const ADDRESS_CHARS_MAX = 255 - TEXT.length
/** How long what was said counts. */
const LIFE_S = 120

/** The name that members of one mesh ask for; `tag`: a DNS label. */
export const serviceOf = (tag: string): string => `_${tag}._sub._wayside._udp.local`

export const questionFor = (service: string): Uint8Array =>
  encode({ type: 'query', questions: [{ type: 'PTR', name: service }] })

/** Undefined if nothing would be said: no address is here, or none fits. */
export const announcementOf = (service: string, { peer, addresses }: Sighting): Uint8Array | undefined => {
  const texts = addresses.filter(({ length }) => length <= ADDRESS_CHARS_MAX).map((address) => `${TEXT}${address}`)
  if (texts.length === 0) return undefined
  const name = `${peer}.${service}`
  return encode({
    type: 'response',
    flags: 1 << 10,
    answers: [{ type: 'PTR', name: service, ttl: LIFE_S, data: name }],
    additionals: [{ type: 'TXT', name, ttl: LIFE_S, data: texts.slice(0, ADDRESSES_SAID_MAX) }],
  })
}

export type Heard = { asks: true } | { asks: false; seen: Sighting }

/** Foreign packets are most of what there is on a network: they are told by their size, and by names not in them. */
const mayBeOurs = (bytes: Buffer, label: string): boolean => {
  if (bytes.length < HEADER_BYTES || bytes.length > PACKET_BYTES_MAX) return false
  const records = COUNTS_AT.reduce((sum, at) => sum + bytes.readUInt16BE(at), 0)
  return records <= RECORDS_MAX && bytes.includes(label)
}

const peerOf = (answers: readonly Answer[], service: string): string | undefined => {
  const pointer = answers.find(({ type, name }) => type === 'PTR' && name === service)
  const [peer = '', ...rest] = String((pointer as { data?: unknown })?.data).split('.')
  return rest.join('.') === service && isPeerId(peer) ? peer : undefined
}

const addressesOf = (records: readonly Answer[], name: string): string[] => {
  const texts = records.find((record) => record.type === 'TXT' && record.name === name) as { data?: unknown }
  const data = Array.isArray(texts?.data) ? (texts.data as unknown[]) : []
  return data
    .slice(0, ADDRESSES_SAID_MAX)
    .map(String)
    .flatMap((text) => (text.startsWith(TEXT) ? [text.slice(TEXT.length)] : []))
}

/**
 * What a packet of the network says about a service: undefined if nothing. Whoever announces announces itself: only
 * addresses at `from`, the IP address that the packet came from, are believed, so nobody can have others dialled.
 */
export const hear = (bytes: Buffer, service: string, from: string): Heard | undefined => {
  if (!mayBeOurs(bytes, service.split('.', 1)[0] as string)) return undefined
  try {
    const { type, questions = [], answers = [], additionals = [] } = decode(bytes)
    if (type === 'query') return questions.some(({ name }) => name === service) ? { asks: true } : undefined
    const peer = peerOf(answers, service)
    if (peer === undefined) return undefined
    const addresses = addressesOf(additionals, `${peer}.${service}`).filter(
      (address) => address.startsWith(`/ip4/${from}/`) && address.endsWith(`/p2p/${peer}`),
    )
    return addresses.length > 0 ? { asks: false, seen: { peer, addresses } } : undefined
  } catch {
    return undefined
  }
}
