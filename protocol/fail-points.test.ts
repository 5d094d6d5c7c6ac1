import { expect, test } from 'vitest'
import { FAIL_POINTS, type FailPointName, NO_FAIL_POINTS, planFailPoints } from './fail-points.ts'

const names = Object.keys(FAIL_POINTS) as FailPointName[]
const noExit = () => {
  throw new Error('exit was called')
}

test('no plan, no failure', () => {
  expect(planFailPoints('', noExit)).toBe(NO_FAIL_POINTS)
  for (const name of names) expect(NO_FAIL_POINTS.hit(name)).toBeUndefined()
})

test.each(names)('%s fails at every hit with the code of its port, and leaves the others alone', (name) => {
  const points = planFailPoints(`${name}=throw`, noExit)
  for (let hit = 1; hit <= 2; hit++)
    expect(() => points.hit(name)).toThrow(
      expect.objectContaining({ code: FAIL_POINTS[name], message: `planned failure of ${name} at hit ${hit}` }),
    )
  for (const other of names) if (other !== name) points.hit(other)
})

test('@N fails the Nth hit only, each place counting for itself', () => {
  const points = planFailPoints('storage.write=throw@3,storage.write=throw@5,network.open=throw@1', noExit)
  const failed: number[] = []
  for (let hit = 1; hit <= 6; hit++) {
    try {
      points.hit('storage.write')
      points.hit('storage.get')
    } catch {
      failed.push(hit)
    }
  }
  expect(failed).toEqual([3, 5])
  expect(() => points.hit('network.open')).toThrow(/planned failure/)
})

test('exit calls what it was given, and throws nothing', () => {
  let exits = 0
  const points = planFailPoints('sandbox.send=exit@2', () => exits++)
  const seen = [1, 2, 3].map(() => {
    points.hit('sandbox.send')
    return exits
  })
  expect(seen).toEqual([0, 1, 1])
})

test.each([
  'storage.write',
  'storage.write=',
  'storage.write=explode',
  'storage.write=throw@0',
  'storage.write=throw@-1',
  'storage.write=throw@',
  'storage.write=throw@1e3',
  'storage.writes=throw',
  'toString=throw',
  ' storage.write=throw',
  'storage.write=throw,',
  'storage.write=throw;sandbox.spawn=throw',
])('refuses %j, naming the item and the known places', (plan) => {
  expect(() => planFailPoints(plan, noExit)).toThrow(
    expect.objectContaining({ code: 'E_CONFIG', message: expect.stringMatching(/^fail point ".*sandbox\.spawn/) }),
  )
})
