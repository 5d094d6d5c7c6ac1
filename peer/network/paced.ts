import { Bucket } from '../../protocol/bucket.ts'
import type { Channel, Clock } from '../../protocol/ports.ts'
import { FRAMES_BURST_MAX, FRAMES_PER_SECOND_MAX, PACED_FRAME_BYTES } from './limits.ts'

type Receivers = Parameters<Channel['receive']>[0]

const PACE = { burst: FRAMES_BURST_MAX, perSecond: FRAMES_PER_SECOND_MAX }

/**
 * The same receivers, to whom no more frames are handed than a channel may bring: a promise kept back holds up the next
 * frame, the window fills, and the other side waits. Nothing is lost, and nobody is accused for having been held up.
 */
export const paced = (clock: Pick<Clock, 'monotonic' | 'after'>, { frame, closed }: Receivers): Receivers => {
  const bucket = new Bucket(PACE, clock.monotonic())
  return {
    closed,
    frame: (bytes) => {
      const waitMs = bucket.take(clock.monotonic(), 1 + bytes.length / PACED_FRAME_BYTES)
      const done = frame(bytes)
      if (waitMs === 0) return done
      const wait = new Promise<void>((resolve) => clock.after(waitMs, resolve))
      return done ? done.then(() => wait) : wait
    },
  }
}
