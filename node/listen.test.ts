import { expect, test } from 'vitest'
import { createMemoryStorage } from '../peer/storage/memory.ts'
import { loadPorts, portsToKeep, savePorts, withKeptPorts } from './listen.ts'

const ANY = '/ip4/0.0.0.0/tcp/0'

test('the port that the system chose is asked for again', async () => {
  const storage = createMemoryStorage()
  expect(withKeptPorts([ANY], await loadPorts(storage))).toEqual([ANY])
  await savePorts(storage, portsToKeep([ANY], ['/ip4/127.0.0.1/tcp/4001/p2p/x', '/ip4/10.0.0.1/tcp/4001/p2p/x']))
  expect(withKeptPorts([ANY, '/ip4/1.2.3.4/tcp/80'], await loadPorts(storage))).toEqual([
    '/ip4/0.0.0.0/tcp/4001',
    '/ip4/1.2.3.4/tcp/80',
  ])
})

test('one port of each kind of address', () => {
  const listen = [ANY, `${ANY}/ws`, '/ip4/0.0.0.0/udp/0/webrtc-direct', '/ip4/0.0.0.0/tcp/443/tls/ws']
  const bound = [
    ...['/ip4/10.0.0.1/tcp/1', '/ip4/10.0.0.1/tcp/2/ws/p2p/x', '/ip4/127.0.0.1/tcp/2/ws/p2p/x'],
    ...['/ip4/10.0.0.1/udp/3/webrtc-direct/certhash/uEi/p2p/x', '/ip4/10.0.0.1/tcp/443/tls/ws'],
  ]
  const kept = portsToKeep(listen, bound)
  expect(kept).toEqual({ [ANY]: 1, [`${ANY}/ws`]: 2, '/ip4/0.0.0.0/udp/0/webrtc-direct': 3 })
  expect(withKeptPorts(listen, kept)).toEqual([
    ...['/ip4/0.0.0.0/tcp/1', '/ip4/0.0.0.0/tcp/2/ws', '/ip4/0.0.0.0/udp/3/webrtc-direct'],
    '/ip4/0.0.0.0/tcp/443/tls/ws',
  ])
})

test('nothing is kept where it is not plain which port belongs to which address', () => {
  expect(portsToKeep(['/ip4/1.2.3.4/tcp/80'], ['/ip4/1.2.3.4/tcp/80'])).toEqual({})
  expect(portsToKeep([ANY, '/ip6/::/tcp/0'], ['/ip4/127.0.0.1/tcp/1', '/ip6/::1/tcp/2'])).toEqual({})
  expect(portsToKeep([ANY], [])).toEqual({})
  expect(portsToKeep(['/ip4/0.0.0.0/tcp/01'], ['/ip4/127.0.0.1/tcp/1'])).toEqual({})
})
