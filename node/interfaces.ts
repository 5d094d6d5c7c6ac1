/** The networks that this machine is on, and when they change. */
import { networkInterfaces } from 'node:os'
import type { Clock } from '../protocol/ports.ts'

/** A laptop that moves to another network is there within seconds anyway. */
const LOOK_EVERY_MS = 3000

/** IPv4 addresses of this machine, one for each network it is on; loopback is none. */
export const ownAddresses = (): string[] =>
  Object.values(networkInterfaces())
    .flatMap((all = []) => all.filter(({ family, internal }) => family === 'IPv4' && !internal))
    .map(({ address }) => address)
    .sort()

/** Calls `changed` with what there is now, whenever it differs from before, until the returned function is called. */
export const watchAddresses = (
  clock: Pick<Clock, 'after'>,
  changed: (addresses: string[]) => void,
  look: () => string[] = ownAddresses,
): (() => void) => {
  let before = look()
  let cancel = () => {}
  const watch = () => {
    cancel = clock.after(LOOK_EVERY_MS, () => {
      const now = look()
      watch()
      if (now.join() === before.join()) return
      before = now
      changed(now)
    })
  }
  watch()
  return () => cancel()
}
