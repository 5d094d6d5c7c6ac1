import { expect, test } from 'vitest'
import { CROWD, RECORD_MS_MAX } from '../../peer/provider-keys.ts'
import { seedFor } from '../../scripts/test/seed.ts'
import { DiscoveryWatch } from '../pictures/discovery.ts'
import { quickChance } from './chance.ts'
import { DiscoveryWorld } from './discovery.ts'
import { lookReport, runNeeds, settledWorld } from './discovery-report.ts'
import { modelGeography } from './geography.ts'
import { K, Kademlia } from './kademlia.ts'
import { Population } from './population.ts'
import { keyIn, ProviderRecords } from './provider-records.ts'
import { rejoinMs } from './rejoining.ts'
import { ticksOf } from './wheel.ts'

test('a walk comes to the nearest of all keepers but for a few, with nobody gone', () => {
  const random = quickChance(seedFor('walk'))
  const population = new Population(4000, modelGeography(random), random)
  const keepers = Array.from({ length: 4000 }, (_, i) => i)
  const keys = Uint32Array.from(keepers, () => random.below(2 ** 32))
  const always = { population, reaches: () => true, knew: () => true, isHostile: () => false }
  const kademlia = new Kademlia(always, keepers, keys, 1)
  let right = 0
  for (let trial = 0; trial < 20; trial++) {
    const [seeker, target] = [random.below(4000), random.below(2 ** 32)]
    const distance = (i: number) => ((keys[i] as number) ^ target) >>> 0
    const near = new Set(
      keepers
        .filter((i) => i !== seeker)
        .sort((a, b) => distance(a) - distance(b))
        .slice(0, K),
    )
    const asked = new Set<number>()
    for (const { node } of kademlia.walk(seeker, target, new Set())) asked.add(node)
    right += [...near].filter((i) => asked.has(i)).length
  }
  expect(right / (20 * K)).toBeGreaterThan(0.9)
})

test('no key is more crowded than by those who came at once, and records run out', () => {
  const random = quickChance(seedFor('records'))
  const records = new ProviderRecords(2000, 1, random)
  for (let round = 0; round < 6; round++) {
    for (let peer = 0; peer < 2000; peer++) records.provide(peer, 0, 0, ticksOf(round * 1000) + peer)
  }
  const under = (at: number) => {
    const counts: number[] = []
    for (let level = 0; level <= 14; level++) {
      for (let index = 0; index < 2 ** level; index++) counts.push(records.under(keyIn(0, level, index), at).length)
    }
    return counts
  }
  const counts = under(ticksOf(7000))
  expect(Math.max(...counts)).toBeLessThanOrEqual(CROWD)
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(2000)
  expect(Math.max(...under(ticksOf(7000 + RECORD_MS_MAX)))).toBe(0)
})

test('one seed is one run; halves find their own, and nobody is found where all keepers lie', () => {
  const seed = seedFor('halves')
  const [world, again] = [new DiscoveryWorld({ seed, peers: 1500 }), new DiscoveryWorld({ seed, peers: 1500 })]
  for (const one of [world, again]) one.runMs(15 * 60_000)
  const looked = (one: DiscoveryWorld) => lookReport(one, quickChance(seed), 15)
  expect(looked(again)).toEqual(looked(world))
  expect(again.wheel.hash).toBe(world.wheel.hash)
  const random = quickChance(seed)
  world.cut()
  const before = looked(world)
  world.runMs(11 * 60_000)
  // Right after the cut half of all records are of the other side.
  expect(looked(world).foundShare).toBeGreaterThanOrEqual(before.foundShare)
  expect(looked(world).liveShare).toBeGreaterThan(0.8)
  expect(rejoinMs(world, world.seeker(random, { isThere: false }), random)).toBeGreaterThan(0)
  expect(lookReport(settledWorld({ seed, peers: 1500, hostilePermille: 1000 }), quickChance(seed), 10).foundShare).toBe(
    0,
  )
})

test('whom neighbours know is found sooner than by the directory, and though all its keepers lie', () => {
  const options = { seed: seedFor('needs'), peers: 4000, oneIn: 40 }
  const asked = runNeeds(options, 10)
  expect(asked.foundShare).toBe(1)
  expect(asked.hopsMean).toBeLessThan(1.5)
  const alone = lookReport(settledWorld(options), quickChance(options.seed), 10)
  expect(asked.firstP50Ms).toBeLessThan(alone.firstP50Ms)
  const lied = { ...options, hostilePermille: 1000 }
  expect(runNeeds(lied, 10).foundShare).toBeGreaterThan(0.9)
  expect(lookReport(settledWorld(lied), quickChance(lied.seed), 10).foundShare).toBe(0)
})

test('a world that is looked at goes on as if it were not', () => {
  const options = { seed: seedFor('watched'), peers: 300 }
  const watch = new DiscoveryWatch(options.seed)
  const run = (look: (world: DiscoveryWorld) => void) => {
    const world = new DiscoveryWorld(options)
    for (let minute = 0; minute < 2; minute++) {
      world.runMs(60_000)
      look(world)
    }
    return [world.wheel.hash, lookReport(world, quickChance(1), 1)]
  }
  expect(run((world) => watch.look(world))).toEqual(run(() => {}))
  expect(watch.pictures().tables.minutes?.minute).toEqual([1, 2])
})
