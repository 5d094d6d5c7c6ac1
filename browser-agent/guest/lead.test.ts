import { expect, onTestFinished, test } from 'vitest'
import { Lead, type Locks } from './lead.ts'

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** Node has the locks of the web. */
const tab = () => {
  const told: boolean[] = []
  const lead = new Lead(navigator.locks, (leads) => told.push(leads))
  onTestFinished(() => lead.release())
  return { lead, told }
}

test('one leads, the next does when it gives up, and who gave up waits last', async () => {
  const [first, second, third] = [tab(), tab(), tab()]
  for (const { lead } of [first, second, third]) void lead.seek()
  await turn()
  expect([first, second, third].map(({ lead }) => lead.leads)).toEqual([true, false, false])
  first.lead.release()
  void first.lead.seek()
  await turn()
  expect([first, second, third].map(({ lead }) => lead.leads)).toEqual([false, true, false])
  third.lead.release()
  second.lead.release()
  await turn()
  expect([first, second, third].map(({ lead }) => lead.leads)).toEqual([true, false, false])
  expect([first.told, second.told, third.told]).toEqual([[true, false, true], [true, false], []])
})

test('who gives up in the moment of its turn does not lead, and holds nothing', async () => {
  const [first, second] = [tab(), tab()]
  void first.lead.seek()
  first.lead.release()
  void second.lead.seek()
  await turn()
  expect([first.told, second.told]).toEqual([[], [true]])
})

test('seeking twice is seeking once', async () => {
  const { lead, told } = tab()
  void lead.seek()
  void lead.seek()
  await turn()
  lead.release()
  await turn()
  expect(told).toEqual([true, false])
  expect(await navigator.locks.query()).toEqual({ held: [], pending: [] })
})

test('says so where a page may have no locks', async () => {
  const refusing: Locks = { request: () => Promise.reject(new DOMException('not here', 'SecurityError')) }
  await expect(new Lead(refusing, () => {}).seek()).rejects.toThrow('not here')
})
