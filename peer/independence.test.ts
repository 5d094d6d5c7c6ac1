import { describe, expect, test } from 'vitest'
import { randomFor } from '../scripts/test/seed.ts'
import {
  areIndependent,
  countIndependent,
  independenceOf,
  independentFirst,
  leastIndependence,
  networkOf,
  type Whereabouts,
} from './independence.ts'

const at = (peer: string, inviter: string | undefined, ...addresses: string[]): Whereabouts => ({
  ...{ peer, owner: peer, inviter, addresses, liedAlike: false },
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

test('two that have each told a lie which others told as well are never independent; one of them is of anybody else', () => {
  const [a, b, c] = [at('a', 'x', '/ip4/1.2.3.4'), at('b', 'y', '/ip4/5.6.7.8'), at('c', 'z', '/ip4/9.9.9.9')]
  const liars = [a, b].map((one) => ({ ...one, liedAlike: true })) as [Whereabouts, Whereabouts]
  expect(independenceOf(...liars)).toBe('none')
  expect(areIndependent('peer', ...liars)).toBe(false)
  expect(independenceOf(liars[0], c)).toBe('operator')
  expect(countIndependent('peer', [...liars, c])).toBe(2)
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

describe('the ranking', () => {
  const of = (owner: string, peer: string, inviter: string | undefined, ...addresses: string[]): Whereabouts => ({
    ...{ peer, owner, inviter, addresses, liedAlike: false },
  })
  const one = at('a', 'x', '/ip4/1.2.3.4/tcp/1')
  test.each<[string, Whereabouts]>([
    ['none', one],
    ['owner', of('a', 'b', 'x', '/ip4/1.2.4.4/tcp/1')],
    ['peer', at('b', 'x', '/ip4/1.2.3.9/tcp/1')],
    ['peer', at('b', undefined, '/ip4/1.2.3.9/tcp/1')],
    ['network', at('b', 'x', '/ip4/1.2.4.4/tcp/1')],
    ['network', of('c', 'b', 'a', '/ip4/1.2.4.4/tcp/1')],
    ['network', of('x', 'b', 'y', '/ip4/1.2.4.4/tcp/1')],
    ['inviter', at('b', 'y', '/ip4/1.2.3.9/tcp/1')],
    ['operator', at('b', 'y', '/ip4/1.2.4.4/tcp/1')],
  ])('%s: %j', (independence, other) => {
    expect(independenceOf(one, other)).toBe(independence)
    expect(independenceOf(other, one)).toBe(independence)
    expect(areIndependent('operator', one, other)).toBe(independence === 'operator')
    expect(areIndependent('peer', one, other)).toBe(independence !== 'none')
  })

  test('of several is that of the two which have least apart', () => {
    const far = at('b', 'y', '/ip4/2.2.2.2')
    const near = at('c', 'z', '/ip4/1.2.3.9')
    expect(leastIndependence([one, far])).toBe('operator')
    expect(leastIndependence([far, one, near])).toBe('inviter')
    expect(leastIndependence([one, far, one])).toBe('none')
    expect(leastIndependence([one])).toBe('none')
  })

  test('draws from the more independent half, in the order of the draw', () => {
    const rankOf = (name: string) => Number(name[0])
    const first = (...drawn: string[]) => independentFirst(drawn, rankOf).join(' ')
    expect(first('3a', '5a', '2a', '5b')).toBe('5a 5b 3a 2a')
    expect(first('3a', '5a', '2a', '3b', '3c')).toBe('3a 5a 3b 3c 2a')
    expect(first('3a', '5a', '3b', '3c')).toBe('3a 5a 3b 3c')
    expect(first('2a', '3a')).toBe('3a 2a')
    expect(first('2a')).toBe('2a')
    expect(first()).toBe('')
  })

  test('passes over no more than half, whatever ranks there are', () => {
    const random = randomFor('steering')
    for (let round = 0; round < 200; round++) {
      const drawn = Array.from({ length: 1 + random.below(20) }, (_, i) => ({ i, rank: random.below(6) }))
      const ordered = independentFirst(drawn, ({ rank }) => rank)
      expect(ordered.toSorted((a, b) => a.i - b.i)).toEqual(drawn)
      const median = drawn.map(({ rank }) => rank).sort((a, b) => b - a)[Math.ceil(drawn.length / 2) - 1]!
      const preferred = drawn.filter(({ rank }) => rank >= median)
      expect(2 * preferred.length).toBeGreaterThanOrEqual(drawn.length)
      expect(ordered.slice(0, preferred.length)).toEqual(preferred)
      const least = Math.min(...preferred.map(({ rank }) => rank))
      for (const { rank } of ordered.slice(preferred.length)) expect(rank).toBeLessThan(least)
    }
  })
})
