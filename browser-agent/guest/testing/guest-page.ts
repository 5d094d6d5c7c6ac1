/** A page that watches its device, and lends, if it has the lead, to nobody: for tests that drive a browser. */
import { createMemoryStorage } from '../../../peer/storage/memory.ts'
import type { Clock } from '../../../protocol/ports.ts'
import { watchDevice } from '../device.ts'
import { Presence } from '../presence.ts'
import { createGuestRules } from '../rules.ts'

const clock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, Math.min(delayMs, 2 ** 31 - 1))
    return () => clearTimeout(timer)
  },
}

const device = watchDevice(window, clock)
const rules = createGuestRules({
  clock,
  device,
  storage: createMemoryStorage(),
  log: { event() {} },
  limits: {
    ...{ cpuShare: 0.5, cores: 1, when: 'always', onBattery: true, onMetered: true },
    ...{ cpuMsPerDay: Number.MAX_SAFE_INTEGER, bytesPerDay: Number.MAX_SAFE_INTEGER },
  },
})

/** What was so at each change, in a page that nobody could ask then. */
const seen: { visible: boolean; frozen: boolean; online: boolean }[] = []
device.watch(() => {
  const { visible, frozen, online } = device.state()
  seen.push({ visible, frozen, online })
})

const told: string[] = []
const lend = () =>
  new Presence({
    device,
    rules,
    locks: navigator.locks,
    begin: async () => {
      told.push('begin')
      return {
        lend: () => told.push('lend'),
        withhold: () => told.push('withhold'),
        end: async () => void told.push('end'),
      }
    },
    failed: (cause) => told.push(String(cause)),
  })

Object.assign(globalThis, {
  guest: {
    state: () => device.state(),
    seen: () => seen,
    lend: () => void lend(),
    told: () => told,
    reason: () => rules.verdict().reason ?? null,
  },
})
