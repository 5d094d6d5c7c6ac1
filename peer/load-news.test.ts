import { expect, test } from 'vitest'
import { type Load, newsDelayMs } from './load-news.ts'

const load = (slots: number, pending: number): Load => ({
  slots,
  free: Math.max(0, slots - pending),
  queued: Math.max(0, pending - slots),
})

test.each<[string, Load, Load, number]>([
  ['nothing', load(4, 3), load(4, 3), Number.POSITIVE_INFINITY],
  ['one more in the queue', load(4, 20), load(4, 21), 250],
  ['a few more in a long queue', load(4, 100), load(4, 149), 250],
  ['half as many again', load(4, 100), load(4, 150), 100],
  ['half of them gone', load(4, 100), load(4, 50), 100],
  ['one slot of four taken', load(4, 0), load(4, 1), 250],
  ['all slots taken', load(4, 0), load(4, 4), 100],
  ['all slots free again', load(4, 4), load(4, 0), 100],
  ['the only slot taken', load(1, 0), load(1, 1), 250],
  ['the only slot taken, and one waits', load(1, 0), load(1, 2), 100],
  ['paused', load(4, 2), load(0, 0), 0],
  ['resumed', load(0, 0), load(4, 0), 0],
])('%s', (_name, told, now, delayMs) => {
  expect(newsDelayMs(told, now)).toBe(delayMs)
})
