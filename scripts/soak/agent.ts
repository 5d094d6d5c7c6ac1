/** One agent of a soak, as a process: the real agent, which tells how much of everything it holds when it is asked. */
import { readdirSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { startAgent } from '../../node/agent.ts'
import { readConfig } from '../../node/config.ts'
import { descendantsOf, textOf } from '../processes.ts'

/** What an agent holds, in the order in which it is printed. */
export interface Sample {
  /** Its own, and its sandboxes' proportional share. */
  rss_mb: number
  pss_mb: number
  /** After a collection. */
  heap_mb: number
  handles: number
  files: number
  /** The longest that the event loop was held up since the last sample. */
  lag_ms: number
  queued: number
  in_flight: number
  neighbours: number
  blocks: number
  memo: number
}

export interface Ready {
  peer: string
  ticket: string
}

const [data = '', ...join] = process.argv.slice(2)
const config = readConfig(
  {
    ...{ data, join, listen: ['/ip4/127.0.0.1/tcp/0'], mdns: false, cpus: '1', memory: '128MiB', disk: '16MiB' },
    log_level: 'info',
  },
  {},
)
const agent = await startAgent(config)
const delay = monitorEventLoopDelay({ resolution: 10 })
delay.enable()

const MIB = 2 ** 20

const pssMb = (): number => {
  const rollups = [process.pid, ...descendantsOf(process.pid)].map((pid) => textOf(`/proc/${pid}/smaps_rollup`))
  return rollups.reduce((kb, text = '') => kb + Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? 0), 0) / 1024
}

const sample = (): Sample => {
  const lag_ms = delay.max / 1e6
  const { running, neighbours, disk, memo } = agent.peer.status()
  globalThis.gc?.()
  const { rss, heapUsed } = process.memoryUsage()
  delay.reset()
  return {
    rss_mb: rss / MIB,
    pss_mb: pssMb(),
    heap_mb: heapUsed / MIB,
    handles: process.getActiveResourcesInfo().length,
    files: readdirSync('/proc/self/fd').length,
    lag_ms,
    queued: running.length,
    in_flight: neighbours.reduce((sum, one) => sum + one.in_flight, 0),
    neighbours: neighbours.length,
    blocks: disk.blocks,
    memo: memo.entries,
  }
}

const stop = async () => {
  await agent.stop()
  process.exit()
}
process.on('message', () => process.send?.(sample()))
process.on('SIGTERM', stop)
process.on('disconnect', stop)

const { ticket } = await agent.status()
process.send?.({ peer: agent.peer.peerId, ticket: ticket ?? '' } satisfies Ready)
