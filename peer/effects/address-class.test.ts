import { BlockList, isIP } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkProperty } from '../../scripts/test/seed.ts'
import { type AddressClass, addressClass, mayReach } from './address-class.ts'

const CASES: Record<AddressClass, string[]> = {
  public: [
    ...['1.1.1.1', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '126.255.255.255', '128.0.0.0'],
    ...['169.253.255.255', '172.15.255.255', '172.32.0.0', '192.0.1.0', '192.167.255.255', '198.17.255.255'],
    ...['198.20.0.0', '223.255.255.255', '2606:4700::1111', '2001:200::', '2400::', '3ffe::1'],
    ...['::ffff:1.1.1.1', '::FFFF:101:101', '64:ff9b::1.1.1.1', '2001:4860:4860:0:0:0:0:8888'],
  ],
  loopback: ['127.0.0.1', '127.255.255.255', '::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1', '64:ff9b::7f00:1'],
  private: [
    ...['10.0.0.0', '10.255.255.255', '100.64.0.0', '100.127.255.255', '172.16.0.0', '172.31.255.255'],
    ...[
      '192.168.0.0',
      '192.168.255.255',
      'fc00::',
      'fdff:ffff::1',
      '::ffff:10.0.0.1',
      '::ffff:c0a8:1',
      '64:ff9b::a00:1',
    ],
  ],
  'link-local': ['169.254.0.0', '169.254.169.254', 'fe80::1', 'fe80::1%eth0', 'febf::1', '::ffff:169.254.169.254'],
  multicast: ['224.0.0.1', '239.255.255.255', 'ff02::1', '::ffff:224.0.0.1'],
  reserved: [
    ...['0.0.0.0', '0.1.2.3', '192.0.0.1', '192.0.2.1', '192.88.99.1', '198.18.0.1', '198.51.100.1', '203.0.113.9'],
    ...['240.0.0.1', '255.255.255.255', '::', '::127.0.0.1', '::ffff:0:127.0.0.1', '64:ff9b:1::1', '100::1'],
    ...['2001::1', '2001:0:1:2::3', '2001:1ff::', '2001:db8::1', '2002:7f00:1::', '3fff::1', '4000::', '5f00::1'],
    ...['fec0::1', '2606:4700::5efe:10.0.0.1', '2606:4700::200:5efe:7f00:1', '::ffff:0.0.0.0'],
  ],
  malformed: [
    ...['', 'localhost', '1', '127.1', '0x7f.0.0.1', '0127.0.0.1', '127.0.0.01', '256.0.0.1', '1.2.3.4.5', ' 1.1.1.1'],
    ...['1.1.1.1 ', ':', ':::', '1::2::3', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '1:2:3:4:5:6:7::8:9', '12345::'],
    ...['::1.1.1', '1.1.1.1::', '::g', '[::1]', '::1%', '%eth0', 'fe80::1%a%b', '١.١.١.١'],
  ],
}

test.each(Object.entries(CASES))('%s', (name, addresses) => {
  expect(addresses.map((address) => [address, addressClass(address)])).toEqual(addresses.map((one) => [one, name]))
})

describe('against what Node makes of it', () => {
  const special = new BlockList()
  for (const [net, bits] of [
    ['0.0.0.0', 8],
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    ['127.0.0.0', 8],
    ['169.254.0.0', 16],
    ['172.16.0.0', 12],
    ['192.168.0.0', 16],
    ['224.0.0.0', 3],
  ] as const)
    special.addSubnet(net, bits, 'ipv4')

  test('no IPv4 address of a special network is public, in whatever form it is written', async () => {
    await checkProperty(
      'embedded',
      fc.property(fc.ipV4(), fc.constantFrom('', '::ffff:', '64:ff9b::'), (address, before) => {
        const found = addressClass(before + address)
        if (special.check(address, 'ipv4')) expect(found).not.toBe('public')
        expect(found).toBe(addressClass(address))
      }),
      { runs: 2000 },
    )
  })

  test('what is no address to Node is malformed here, and the other way round', async () => {
    const pieces = fc.constantFrom(
      '1',
      '0',
      '255',
      '256',
      'ffff',
      'g',
      ':',
      '::',
      '.',
      '.',
      '%',
      'fe80',
      '64',
      'ff9b',
      '127',
    )
    const any = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.array(pieces, { maxLength: 12 }).map((found) => found.join('')),
    )
    await checkProperty(
      'same addresses',
      fc.property(any, (text) => {
        expect(addressClass(text) === 'malformed').toBe(isIP(text) === 0)
      }),
      { runs: 5000 },
    )
  })

  test('an address is what it is, however its zeros are written', async () => {
    await checkProperty(
      'one meaning',
      fc.property(fc.ipV6(), (text) => {
        const same = new URL(`http://[${text}]/`).hostname.slice(1, -1)
        expect(addressClass(same)).toBe(addressClass(text))
      }),
      { runs: 2000 },
    )
  })
})

test('the owner’s networks are reached only if that is granted, some addresses never', () => {
  const reached = (granted: boolean) =>
    Object.entries(CASES).flatMap(([name, [first]]) => (mayReach(first as string, granted) ? [name] : []))
  expect(reached(false)).toEqual(['public'])
  expect(reached(true)).toEqual(['public', 'loopback', 'private'])
})
