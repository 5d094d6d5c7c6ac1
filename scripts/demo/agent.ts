/** One agent of the demo, as a process: the real agent, whose sandbox may be told to misbehave. */
import { type AgentOptions, startAgent } from '../../node/agent.ts'
import { readConfig } from '../../node/config.ts'
import { type Mischief, mischievous } from './mischief.ts'

/** From the demo to an agent. */
export type Order = { lies: boolean }

/** From an agent to the demo, once it is up. */
export interface Ready {
  peer: string
  ticket: string
}

const [data = '', role = '', ...join] = process.argv.slice(2)
/** Long enough to be seen, and to be hedged. */
const SLOW_MS = 2500
const mischief: Mischief = { lies: role === 'liar', delayMs: role === 'slow' ? SLOW_MS : 0 }

const config = readConfig(
  { data, join, listen: ['/ip4/127.0.0.1/tcp/0'], mdns: false, cpus: '1', memory: '128MiB', log_level: 'error' },
  {},
)
const options: AgentOptions = {
  adapt: (ports) => ({ ...ports, sandboxHost: mischievous(ports.sandboxHost, mischief) }),
}
const agent = await startAgent(config, options)

const stop = async () => {
  await agent.stop()
  process.exit()
}
process.on('message', (order: Order) => {
  mischief.lies = order.lies
})
process.on('SIGTERM', stop)
// Ctrl-C reaches the whole process group; the demo ends its agents itself.
process.on('SIGINT', () => {})
process.on('disconnect', stop)

const { ticket } = await agent.status()
process.send?.({ peer: agent.peer.peerId, ticket: ticket ?? '' } satisfies Ready)
