/** What tells of the platform: the same on every machine. */
import { instant } from './prelude-exports.ts'

/** The clock stands still: it is always the beginning. */
export const performance = {
  get timeOrigin() {
    return instant
  },
  now: () => 0,
  toJSON: () => ({ timeOrigin: instant }),
}

export const navigator = {
  get userAgent() {
    return 'Wayside'
  },
}
