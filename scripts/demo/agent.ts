/** One agent of the demo, as a process: the real agent, whose sandbox may be told to misbehave. */
import { setTimeout } from 'node:timers/promises'
import { type AgentOptions, startAgent } from '../../node/agent.ts'
import { readConfig } from '../../node/config.ts'
import { forgingHost } from '../../simulations/adversaries.ts'
import type { Ran } from './best.ts'
import { measured } from './measured.ts'
import { Mischief, mischievous, type Order } from './mischief.ts'

/** From an agent to the demo, once it is up. */
export interface Ready {
  peer: string
  ticket: string
}

const [data = '', role = '', ...join] = process.argv.slice(2)
const MEET_POLL_MS = 20
/** Long enough to be seen, and to be hedged. */
const SLOW_MS = 2500
const SAY_EVERY_MS = 100
const mischief = new Mischief({ lieEvery: role === 'liar' ? 1 : 0, delayMs: role === 'slow' ? SLOW_MS : 0 })

let ran: Ran = { fuel: 0, busyMs: 0 }
const count = ({ fuel, busyMs }: Ran) => {
  ran = { fuel: ran.fuel + fuel, busyMs: ran.busyMs + busyMs }
}
/** To the demo, from when it is up. */
const sayWhatRan = () => {
  if (ran.busyMs === 0) return
  process.send?.(ran)
  ran = { fuel: 0, busyMs: 0 }
}

const config = readConfig(
  { data, join, listen: ['/ip4/127.0.0.1/tcp/0'], mdns: false, cpus: '1', memory: '128MiB', log_level: 'error' },
  {},
)
const options: AgentOptions = {
  adapt: (ports) => {
    const host = role === 'forger' ? forgingHost(ports.sandboxHost) : ports.sandboxHost
    return {
      ...ports,
      sandboxHost: mischievous(
        measured(host, () => mischief.delayMs, count),
        mischief,
      ),
    }
  },
}
const agent = await startAgent(config, options)

const stop = async () => {
  await agent.stop()
  process.exit()
}
process.on('message', (order: Order) => {
  mischief.obey(order)
})
process.on('SIGTERM', stop)
// Ctrl-C reaches the whole process group; the demo ends its agents itself.
process.on('SIGINT', () => {})
process.on('disconnect', stop)

// Up is who has met those that are there: who comes later is told of all.
while (join.length > 0 && agent.peer.status().neighbours.length === 0) await setTimeout(MEET_POLL_MS)

const { ticket } = await agent.status()
process.send?.({ peer: agent.peer.peerId, ticket: ticket ?? '' } satisfies Ready)
setInterval(sayWhatRan, SAY_EVERY_MS)
