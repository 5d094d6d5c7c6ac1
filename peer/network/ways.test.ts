import type { Connection } from '@libp2p/interface'
import { expect, test } from 'vitest'
import { relayOf } from '../../protocol/address-kind.ts'
import { alternatingKinds, bestOf } from './ways.ts'

const RELAY = '/ip4/192.0.2.1/tcp/2/ws/p2p/relay'

test('the first of each kind is told before the second of any, and nothing twice', () => {
  const addresses = [
    ...['/ip4/192.0.2.1/tcp/1', '/ip4/198.51.100.1/tcp/1', '/ip4/203.0.113.1/tcp/1'],
    ...['/ip4/192.0.2.1/tcp/2/ws', '/ip4/198.51.100.1/tcp/2/ws'],
    ...['/ip4/192.0.2.1/tcp/3/tls/ws', '/ip4/192.0.2.1/udp/4/webrtc-direct/certhash/u'],
  ]
  expect(alternatingKinds(addresses)).toEqual([
    ...['/ip4/192.0.2.1/tcp/1', '/ip4/192.0.2.1/tcp/2/ws', '/ip4/192.0.2.1/tcp/3/tls/ws'],
    ...['/ip4/192.0.2.1/udp/4/webrtc-direct/certhash/u', '/ip4/198.51.100.1/tcp/1', '/ip4/198.51.100.1/tcp/2/ws'],
    '/ip4/203.0.113.1/tcp/1',
  ])
  const carried = [`${RELAY}/p2p-circuit/p2p/x`, `${RELAY}/p2p-circuit/webrtc/p2p/x`]
  expect(alternatingKinds(carried)).toEqual(carried.slice(1))
  expect(alternatingKinds(carried.slice(0, 1))).toEqual(carried.slice(0, 1))
  expect(alternatingKinds([])).toEqual([])
})

test('over whom an address leads', () => {
  expect(relayOf(`${RELAY}/p2p-circuit/webrtc/p2p/x`)).toEqual({ peer: 'relay', address: RELAY })
  expect(relayOf(`${RELAY}/p2p-circuit/p2p/x`)).toEqual({ peer: 'relay', address: RELAY })
  expect(relayOf(RELAY)).toBeUndefined()
  expect(relayOf('/p2p-circuit/p2p/x')).toBeUndefined()
})

const connection = (id: string, limited: boolean, status: Connection['status'] = 'open') => ({
  id,
  status,
  limits: limited ? { bytes: 1n } : undefined,
})

test('of several connections an open one on which nobody is between', () => {
  const [relayed, direct] = [connection('relayed', true), connection('direct', false)]
  expect(bestOf([relayed, direct])).toBe(direct)
  expect(bestOf([relayed])).toBe(relayed)
  expect(bestOf([relayed, connection('gone', false, 'closed')])).toBe(relayed)
  expect(bestOf([connection('gone', false, 'closed')])).toBeUndefined()
})
