import { decode, encode } from 'dns-packet'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkProperty } from '../scripts/test/seed.ts'
import { announcementOf, hear, PACKET_BYTES_MAX, questionFor, serviceOf } from './mdns-packet.ts'

const PEER = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5'
const OTHER = '12D3KooWJWoaqZhDaoEFshF7Rh1bpY9ohihFhzcW6d69Lr2NASuq'
const FROM = '192.0.2.7'
const SERVICE = serviceOf('a1'.repeat(16))
const at = (ip: string, peer = PEER) => `/ip4/${ip}/tcp/4001/p2p/${peer}`

const packetOf = (addresses: string[], service = SERVICE): Buffer =>
  Buffer.from(announcementOf(service, { peer: PEER, addresses }) ?? [])

describe('a packet', () => {
  test('asks for a mesh, or says where a peer is, in a form that other readers of mDNS take', () => {
    expect(hear(Buffer.from(questionFor(SERVICE)), SERVICE, FROM)).toEqual({ asks: true })
    const packet = packetOf([at(FROM)])
    expect(hear(packet, SERVICE, FROM)).toEqual({ asks: false, seen: { peer: PEER, addresses: [at(FROM)] } })
    expect(decode(packet)).toMatchObject({ type: 'response', answers: [{ type: 'PTR', name: SERVICE }] })
  })

  test('of another mesh says nothing', () => {
    const other = serviceOf('b2'.repeat(16))
    expect(hear(packetOf([at(FROM)], other), SERVICE, FROM)).toBeUndefined()
    expect(hear(Buffer.from(questionFor(other)), SERVICE, FROM)).toBeUndefined()
  })

  test('is believed about whoever sent it alone', () => {
    expect(hear(packetOf([at('192.0.2.8')]), SERVICE, FROM)).toBeUndefined()
    expect(
      hear(packetOf([at(FROM, OTHER), '/dns4/bank.example/tcp/443', '/ip4/127.0.0.1/tcp/22']), SERVICE, FROM),
    ).toBeUndefined()
    const seen = { peer: PEER, addresses: [at(FROM)] }
    expect(hear(packetOf([at('127.0.0.1'), at(FROM)]), SERVICE, FROM)).toEqual({ asks: false, seen })
  })

  test('is not made without an address, nor longer than it may be', () => {
    expect(announcementOf(SERVICE, { peer: PEER, addresses: [] })).toBeUndefined()
    expect(announcementOf(SERVICE, { peer: PEER, addresses: [`/ip4/${'1'.repeat(250)}`] })).toBeUndefined()
    const long = Array.from({ length: 100 }, (_, i) => `/ip4/${FROM}/tcp/${i}/${'x'.repeat(200)}`)
    expect(packetOf(long).length).toBeLessThanOrEqual(PACKET_BYTES_MAX)
  })

  test('that is too long, or holds a hundredfold of records, is not read', () => {
    const answer = { type: 'PTR' as const, name: SERVICE, ttl: 1, data: `${PEER}.${SERVICE}` }
    const many = Buffer.from(encode({ type: 'response', answers: Array.from({ length: 800 }, () => answer) }))
    expect(hear(many, SERVICE, FROM)).toBeUndefined()
    expect(hear(Buffer.concat([packetOf([at(FROM)]), Buffer.alloc(PACKET_BYTES_MAX)]), SERVICE, FROM)).toBeUndefined()
  })
})

test('bytes of strangers never throw, whatever they are', async () => {
  const base = packetOf([at(FROM)])
  const changed = fc.array(fc.tuple(fc.nat(base.length - 1), fc.nat(255)), { maxLength: 8 }).map((changes) => {
    const bytes = Buffer.from(base)
    for (const [i, byte] of changes) bytes[i] = byte
    return bytes
  })
  const any = fc.oneof(
    changed,
    fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes)),
  )
  await checkProperty(
    'mdns bytes',
    fc.property(any, (bytes) => {
      const heard = hear(bytes, SERVICE, FROM)
      if (heard && !heard.asks) expect(heard.seen.addresses.every((one) => one.startsWith(`/ip4/${FROM}/`))).toBe(true)
    }),
    { runs: 2000 },
  )
})
