/** What an idle agent costs: memory (PSS) and CPU of its whole process tree, a minute after 1,000 calls, with 5 peers. */
import { connect, fn } from '../node/sdk.ts'
import { descendantsOf, statOf, textOf } from '../scripts/processes.ts'
import { startAgent } from './agents.ts'
import { rounded } from './measure.ts'

const CALLS = 1000
const PEERS = 5
const IDLE_MS = 60_000
const WATCH_MS = 30_000
/** Linux counts CPU time in hundredths of a second. */
const TICKS_PER_S = 100

const pssMb = (pid: number): number =>
  Number(/^Pss:\s+([0-9]+) kB/m.exec(textOf(`/proc/${pid}/smaps_rollup`) ?? '')?.[1] ?? 0) / 1024

/** Fields 14 and 15 of proc(5), counted from the third. */
const cpuSeconds = (pid: number): number => {
  const [user = 0, system = 0] = statOf(pid).slice(11, 13).map(Number)
  return (user + system) / TICKS_PER_S
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

export const run = async (print: (line: string) => void): Promise<Record<string, number>> => {
  const agent = await startAgent({ cpus: 1 })
  const others = await Promise.all(Array.from({ length: PEERS }, () => startAgent({ cpus: 1, join: agent.ticket })))
  const mesh = await connect({ join: [agent.ticket] })
  const trivial = fn<typeof import('./trivial.ts').default>(new URL('./trivial.ts', import.meta.url))
  for (let n = 0; n < CALLS; n++) await mesh.call(trivial, { n }, { verify: 'none', remote: true })
  await mesh.close()
  print(`${CALLS} calls made; idle for ${IDLE_MS / 1000} s`)
  await wait(IDLE_MS)
  const tree = [agent.pid, ...descendantsOf(agent.pid)]
  const before = sum(tree.map(cpuSeconds))
  await wait(WATCH_MS)
  const after = sum(tree.map(cpuSeconds))
  const pss = sum(tree.map(pssMb))
  await Promise.all([agent, ...others].map((one) => one.stop()))
  const cpu = ((after - before) * 100_000) / WATCH_MS
  print(`${tree.length} process(es), ${rounded(pss)} MB PSS, ${rounded(cpu)} % of a core`)
  return { pss_mb: rounded(pss), cpu_percent: rounded(cpu), processes: tree.length }
}
