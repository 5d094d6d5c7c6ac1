import { expect, test } from 'vitest'
import { FakeClock } from '../simulations/clock.ts'
import { ownAddresses, watchAddresses } from './interfaces.ts'

test('a change of the machine’s addresses is told once, within seconds, and not when nobody watches any more', async () => {
  const clock = new FakeClock()
  let here = ['192.0.2.1']
  const told: string[][] = []
  const stop = watchAddresses(
    clock,
    (addresses) => told.push(addresses),
    () => here,
  )
  await clock.advance(60_000)
  expect(told).toEqual([])
  here = ['198.51.100.1']
  await clock.advance(5000)
  here = []
  await clock.advance(5000)
  stop()
  here = ['192.0.2.1']
  await clock.advance(60_000)
  expect(told).toEqual([['198.51.100.1'], []])
})

test('loopback is no network of the machine', () => {
  expect(ownAddresses().filter((address) => address.startsWith('127.'))).toEqual([])
})
