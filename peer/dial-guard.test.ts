import { expect, test } from 'vitest'
import { FakeClock } from '../simulations/clock.ts'
import { DialGuard } from './dial-guard.ts'

const at = (place: string) => `${place}/p2p/them`
const guardAt = (...own: string[]) => {
  const clock = new FakeClock()
  return { clock, guard: new DialGuard(clock, () => own) }
}
const mayDial = (guard: DialGuard, place: string) => guard.allows('them', at(place))

test.each([
  ['/ip4/127.0.0.1/tcp/22', '/ip4/127.0.0.1/tcp/4001'],
  ['/ip6/::1/tcp/22', '/ip4/127.0.0.1/tcp/4001'],
  ['/ip6/::ffff:127.0.0.1/tcp/22', '/ip4/127.0.0.1/tcp/4001'],
  ['/ip4/10.1.2.3/tcp/80', '/ip4/10.200.0.1/tcp/4001'],
  ['/ip4/172.31.255.1/tcp/80', '/ip4/172.16.0.1/tcp/4001'],
  ['/ip4/192.168.1.1/tcp/80', '/ip4/192.168.178.20/tcp/4001'],
  ['/ip4/169.254.169.254/tcp/80', '/ip4/169.254.1.1/tcp/4001'],
  ['/ip4/100.64.0.1/tcp/80', '/ip4/100.127.0.1/tcp/4001'],
  ['/ip6/fd00::1/tcp/80', '/ip6/fd12::1/tcp/4001'],
  ['/ip6/fe80::1/tcp/80', '/ip6/fe80::2/tcp/4001'],
])('%s is dialled only by who is in that network', (told, own) => {
  expect(mayDial(guardAt('/ip4/203.0.113.1/tcp/4001').guard, told)).toBe(false)
  expect(mayDial(guardAt(own).guard, told)).toBe(true)
  const { guard } = guardAt()
  expect(mayDial(guard, told)).toBe(false)
  guard.reached(own)
  expect(mayDial(guard, told)).toBe(true)
})

test.each(['/ip4/203.0.113.9/tcp/4001', '/ip6/2001:db8::1/tcp/4001', '/dns4/peer.example/tcp/443/wss', '/memory/x'])(
  '%s is dialled by anybody',
  (told) => expect(mayDial(guardAt().guard, told)).toBe(true),
)

test.each([
  '/ip4/0.0.0.0/tcp/1',
  '/ip4/224.0.0.1/tcp/1',
  '/ip4/255.255.255.255/tcp/1',
  '/ip6/::/tcp/1',
  '/ip6/ff02::1/tcp/1',
  'nonsense',
  '/unix/tmp',
])('%s is dialled by nobody', (told) => expect(mayDial(guardAt('/ip4/0.0.0.0/tcp/1').guard, told)).toBe(false))

test.each(['/ip4/203.0.113.9/tcp/1/p2p/others', '/ip4/203.0.113.9/tcp/1'])('%s does not name the peer', (told) =>
  expect(guardAt().guard.allows('them', told)).toBe(false),
)

test('65,536 ports of one host, and one port 1,600 times: few are tried, and others go on being dialled', async () => {
  const { clock, guard } = guardAt()
  const tried = new Map<string, number>()
  for (let port = 0; port < 65_536 + 1600; port++) {
    const place = `/ip4/203.0.113.9/tcp/${port < 65_536 ? port : 443}`
    if (!mayDial(guard, place)) continue
    tried.set(place, (tried.get(place) ?? 0) + 1)
    guard.tries(at(place))
  }
  expect(tried.size).toBe(32)
  for (let i = 0; i < 100; i++) guard.tries(at('/ip4/203.0.113.10/tcp/443'))
  expect(mayDial(guard, '/ip4/203.0.113.10/tcp/443')).toBe(false)
  expect(mayDial(guard, '/ip4/203.0.113.10/tcp/444')).toBe(true)
  expect(mayDial(guard, '/ip4/203.0.113.11/tcp/443')).toBe(true)
  await clock.advance(10 * 60_000)
  expect(mayDial(guard, '/ip4/203.0.113.9/tcp/60000')).toBe(true)
})

test('a place at which somebody was met counts no failures', () => {
  const { guard } = guardAt()
  const place = '/ip4/203.0.113.9/tcp/443'
  for (let i = 0; i < 8; i++) guard.tries(at(place))
  expect(mayDial(guard, place)).toBe(false)
  guard.reached(at(place))
  expect(mayDial(guard, place)).toBe(true)
})

const behind = (peer: string) => `/ip4/203.0.113.1/tcp/4001/ws/p2p/relay/p2p-circuit/webrtc/p2p/${peer}`

test('behind a relay each peer is tried as often as a port is, and so many of them; the relay itself is another matter', () => {
  const { guard } = guardAt()
  expect(guard.allows('them', behind('others'))).toBe(false)
  for (let tries = 0; tries < 8; tries++) {
    expect(guard.allows('them', behind('them'))).toBe(true)
    guard.tries(behind('them'))
  }
  expect(guard.allows('them', behind('them'))).toBe(false)
  for (let peers = 1; peers < 32; peers++) guard.tries(behind(`made-up-${peers}`))
  expect(guard.allows('one-more', behind('one-more'))).toBe(false)
  expect(mayDial(guard, '/ip4/203.0.113.1/tcp/4001/ws')).toBe(true)
  guard.reached(behind('them'))
  expect(guard.allows('them', behind('them'))).toBe(true)
})
