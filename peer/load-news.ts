/** When a changed load is worth a word to those who choose by it. Pure. */
import type { Advertisement } from '../protocol/records.ts'

export type Load = Pick<Advertisement, 'slots' | 'free' | 'queued'>

/** What is large is told so soon that nobody sends much in vain, and once for many changes. */
const LARGE_MS = 100
/**
 * What is small, only if it lasts: where short tasks come and go, each is over before anybody could use the news. Not
 * later: by a load told once a second jobs of 1 s take 5 % longer (`npm run bench -- routing`).
 */
export const SMALL_MS = 250

/** Tasks there, running or waiting. */
const pending = ({ slots, free, queued }: Load): number => queued + slots - free

const isLarge = (told: Load, now: Load): boolean => {
  const change = Math.abs(pending(now) - pending(told))
  return change >= Math.max(2, now.slots, pending(told) / 2)
}

/** How long after the last word the next may follow, in ms; Infinity: there is nothing to tell. */
export const newsDelayMs = (told: Load, now: Load): number => {
  // It opened, or closed.
  if (told.slots !== now.slots) return 0
  if (told.free === now.free && told.queued === now.queued) return Number.POSITIVE_INFINITY
  return isLarge(told, now) ? LARGE_MS : SMALL_MS
}
