/** A node agent of the demo page, as a process: the real agent, which tells the demo whom it is connected to. */
import { setInterval } from 'node:timers/promises'
import { startAgent } from '../../node/agent.ts'
import { readConfig } from '../../node/config.ts'

/** From an agent to the demo, again and again. */
export interface AgentNews {
  peer: string
  links: string[]
}

const NEWS_EVERY_MS = 300
const [data = '', ticket = '', cpus = '1'] = process.argv.slice(2)
const listen = ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws']
const agent = await startAgent(
  readConfig({ data, join: [ticket], listen, mdns: false, cpus, memory: '256MiB', log_level: 'error' }, {}),
)

const stop = async () => {
  await agent.stop()
  process.exit()
}
process.on('SIGTERM', stop)
// Ctrl-C reaches the whole process group; the demo ends its agents itself.
process.on('SIGINT', () => {})
process.on('disconnect', stop)

for await (const _ of setInterval(NEWS_EVERY_MS)) {
  const { peer, neighbours } = agent.peer.status()
  process.send?.({ peer, links: neighbours.map((one) => one.peer) } satisfies AgentNews)
}
