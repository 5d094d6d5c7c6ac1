import { expect, test } from 'vitest'
import { Netmask } from './netmask.ts'

test.each([
  ['10.0.0.0/8', ['10.0.0.0', '10.255.255.255'], ['9.255.255.255', '11.0.0.0']],
  ['100.64.0.0/10', ['100.64.0.0', '100.127.255.255'], ['100.63.255.255', '100.128.0.0']],
  ['172.16.0.0/12', ['172.16.0.1', '172.31.9.9'], ['172.15.255.255', '172.32.0.0']],
  ['192.0.0.0/29', ['192.0.0.7'], ['192.0.0.8']],
  ['240.0.0.0/4', ['240.0.0.0', '255.255.255.255'], ['239.255.255.255']],
  ['255.255.255.255/32', ['255.255.255.255'], ['255.255.255.254']],
])('%s has its addresses, and no others', (block, inside, outside) => {
  const mask = new Netmask(block)
  expect(inside.map((address) => mask.contains(address))).toEqual(inside.map(() => true))
  expect(outside.map((address) => mask.contains(address))).toEqual(outside.map(() => false))
})
