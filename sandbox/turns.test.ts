import { expect, test } from 'vitest'
import type { PooledRun } from './pool-run.ts'
import { Turns } from './turns.ts'

const runOf = (party: string, id: number, weight?: number) => ({ id, job: { party, weight } }) as PooledRun
const nameOf = ({ id, job }: PooledRun) => `${job.party}${id}`

const serve = (turns: Turns, run: PooledRun) => {
  expect(turns.delete(run)).toBe(true)
  turns.served(run)
}

const drained = (turns: Turns): string[] => {
  const order: string[] = []
  for (let run = turns.next(); run; run = turns.next()) {
    order.push(nameOf(run))
    serve(turns, run)
  }
  return order
}

test('one party’s runs come in their order', () => {
  const turns = new Turns()
  for (const id of [1, 2, 3]) turns.add(runOf('a', id))
  expect(turns.size).toBe(3)
  expect(drained(turns)).toEqual(['a1', 'a2', 'a3'])
  expect([turns.size, turns.next()]).toEqual([0, undefined])
})

test('parties take turns, however much each has waiting', () => {
  const turns = new Turns()
  for (let id = 1; id <= 5; id++) turns.add(runOf('a', id))
  turns.add(runOf('b', 1))
  turns.add(runOf('c', 1))
  turns.add(runOf('b', 2))
  expect(turns.all()).toHaveLength(8)
  expect(drained(turns)).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3', 'a4', 'a5'])
})

test('a party has as many runs in its turn as it weighs', () => {
  const turns = new Turns()
  for (let id = 1; id <= 4; id++) turns.add(runOf('a', id))
  for (let id = 1; id <= 5; id++) turns.add(runOf('b', id, 3))
  expect(drained(turns)).toEqual(['a1', 'b1', 'b2', 'b3', 'a2', 'b4', 'b5', 'a3', 'a4'])
})

test('whoever comes while another is served waits for one run of it', () => {
  const turns = new Turns()
  for (let id = 1; id <= 100; id++) turns.add(runOf('a', id))
  serve(turns, turns.next() as PooledRun)
  turns.add(runOf('b', 1))
  serve(turns, turns.next() as PooledRun)
  expect(nameOf(turns.next() as PooledRun)).toBe('b1')
})

test('a party that gives up runs, be it the next one, keeps its turn', () => {
  const turns = new Turns()
  const [one, two, three] = [runOf('a', 1), runOf('a', 2), runOf('a', 3)]
  for (const run of [one, two, three, runOf('b', 1)]) turns.add(run)
  expect([turns.delete(one), turns.delete(three)]).toEqual([true, true])
  expect(drained(turns)).toEqual(['a2', 'b1'])
})

test('runs that are given up leave, and those that are unknown are not missed', () => {
  const turns = new Turns()
  const [one, two] = [runOf('a', 1), runOf('a', 2)]
  turns.add(one)
  turns.add(two)
  expect([turns.delete(one), turns.delete(one), turns.delete(runOf('b', 1))]).toEqual([true, false, false])
  expect(drained(turns)).toEqual(['a2'])
  turns.add(one)
  turns.clear()
  expect([turns.size, turns.next(), turns.all()]).toEqual([0, undefined, []])
})
