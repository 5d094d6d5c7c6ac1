import { expect, test } from 'vitest'
import { NEIGHBOURS_MAX } from '../protocol/limits.ts'
import { machine } from '../scripts/sim/machine.ts'
import { seedFor } from '../scripts/test/seed.ts'
import { idleTraffic } from './idle-traffic.ts'

const PEERS = 5

test('peers that nobody calls say less than 3 kB/s, also with a neighbour at every place', async () => {
  const { bytesPerS, framesPerS } = await idleTraffic(machine, seedFor('idle'), PEERS, 120_000)
  expect(framesPerS).toBeGreaterThan(0.1)
  expect((bytesPerS / (PEERS - 1)) * NEIGHBOURS_MAX).toBeLessThan(3000)
})
