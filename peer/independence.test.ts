import { describe, expect, test } from 'vitest'
import { areIndependent, countIndependent, networkOf, type Whereabouts } from './independence.ts'

const at = (peer: string, inviter: string | undefined, ...addresses: string[]): Whereabouts => ({
  ...{ peer, inviter, addresses },
})

describe('the network of an address', () => {
  test.each([
    ['/ip4/192.0.2.7/tcp/4001/p2p/12D3KooW', '192.0.2'],
    ['/ip4/192.0.2.7', '192.0.2'],
    ['/ip6/2001:db8:12:3::9/tcp/4001', '2001:db8:12'],
    ['/ip6/2001:0DB8:0012::9/udp/1/quic-v1', '2001:db8:12'],
    ['/ip6/2001:db8::9/tcp/1', '2001:db8:0'],
    ['/ip6/2001:db8:0:1:2:3:4:5/tcp/1', '2001:db8:0'],
    ['/ip6/::1/tcp/1', '0:0:0'],
    ['/dns4/example.org/tcp/1', undefined],
    ['/memory/somebody', undefined],
    ['/ip4/192.0.2.7/tcp/1/p2p/12D3KooW/p2p-circuit', undefined],
    ['', undefined],
  ])('%s is in %s', (address, network) => {
    expect(networkOf(address)).toBe(network)
  })
})

describe('at the floor peer', () => {
  test('another PeerId is enough, and no less', () => {
    expect(areIndependent('peer', at('a', undefined), at('b', undefined))).toBe(true)
    expect(areIndependent('peer', at('a', 'x', '/ip4/1.2.3.4'), at('a', 'y', '/ip4/5.6.7.8'))).toBe(false)
  })
})

describe('at the floor operator', () => {
  const one = at('a', 'x', '/ip4/1.2.3.4/tcp/1')
  test.each<[string, Whereabouts, boolean]>([
    ['another inviter and network', at('b', 'y', '/ip4/1.2.4.4/tcp/1'), true],
    ['IPv6 against IPv4', at('b', 'y', '/ip6/2001:db8::1/tcp/1'), true],
    ['the same inviter', at('b', 'x', '/ip4/1.2.4.4/tcp/1'), false],
    ['one that it let in', at('b', 'a', '/ip4/1.2.4.4/tcp/1'), false],
    ['the one that let it in', at('x', 'y', '/ip4/1.2.4.4/tcp/1'), false],
    ['an inviter not known', at('b', undefined, '/ip4/1.2.4.4/tcp/1'), false],
    ['the same /24', at('b', 'y', '/ip4/1.2.3.99/tcp/1'), false],
    ['the same /24 among others', at('b', 'y', '/ip4/9.9.9.9/tcp/1', '/ip4/1.2.3.99/tcp/1'), false],
    ['no address', at('b', 'y'), false],
    ['an address without a network', at('b', 'y', '/memory/b'), false],
  ])('%s', (_, other, independent) => {
    expect(areIndependent('operator', one, other)).toBe(independent)
    expect(areIndependent('operator', other, one)).toBe(independent)
  })

  test('those that share with one that is taken already do not count', () => {
    const all = [one, at('b', 'x', '/ip4/2.2.2.2'), at('c', 'y', '/ip4/3.3.3.3'), at('d', 'z', '/ip4/1.2.3.9')]
    expect(countIndependent('operator', all)).toBe(2)
    expect(countIndependent('peer', all)).toBe(4)
    expect(countIndependent('operator', [])).toBe(0)
  })
})
