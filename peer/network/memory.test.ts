import { systemClock } from '../../node/clock.ts'
import { networkConformance } from './conformance.ts'
import { createMemoryNetwork } from './memory.ts'

for (const latencyMs of [0, 2])
  networkConformance(`memory, ${latencyMs} ms`, async ({ log, failPoints }) => {
    const hub = createMemoryNetwork({ clock: systemClock, latencyMs: () => latencyMs })
    const left = hub.join('left', { log, failPoints })
    const right = hub.join('right', { log })
    return {
      left,
      right,
      address: async () => right.addresses()[0]!,
      stop: () => left.stop().then(() => right.stop()),
      kill: () => hub.kill('right'),
      deadAddress: '/memory/nobody/p2p/nobody',
      strangerId: 'stranger',
    }
  })
