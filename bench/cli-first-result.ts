/** How long `wayside run hello.ts` takes, from the shell and back: with an agent, and alone; beside Node's own start. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startAgent } from './agents.ts'
import { ensurePlausible, interleave, median, rounded, row } from './measure.ts'

const ROUNDS = 11
/** A quarter of a second for nothing at all: another program had the cores. */
const NODE_STARTS_PER_S_MIN = 4
const CLI = fileURLToPath(new URL('../bin/wayside.js', import.meta.url))
const HELLO = fileURLToPath(new URL('../examples/hello/hello.ts', import.meta.url))
const execute = promisify(execFile)

const timed = async (args: readonly string[]): Promise<{ ms: number; stdout: string }> => {
  const startMs = performance.now()
  const { stdout } = await execute(process.execPath, args)
  return { ms: performance.now() - startMs, stdout }
}

let runs = 0

/** Each run greets another: what was done before is answered from the memo. */
const hello = async (data: string): Promise<number> => {
  const name = `Ada ${runs++}`
  const { ms, stdout } = await timed([CLI, 'run', HELLO, JSON.stringify({ name }), '--data', data])
  if (!stdout.includes(`Hello, ${name}`)) throw new Error(`wayside run printed ${stdout}`)
  return ms
}

export const run = async (print: (line: string) => void): Promise<Record<string, number>> => {
  const agent = await startAgent({ cpus: 1 })
  const peer = await startAgent({ cpus: 1, join: agent.ticket })
  const nowhere = mkdtempSync(join(tmpdir(), 'wayside-bench-'))
  const subjects = [
    { name: 'with an agent', run: () => hello(agent.data) },
    { name: 'alone', run: () => hello(nowhere) },
    { name: 'node itself', run: async () => (await timed(['-e', '0'])).ms },
  ]
  const results = await interleave(subjects, ROUNDS, 2)
  await Promise.all([agent.stop(), peer.stop()])
  rmSync(nowhere, { recursive: true, force: true })
  for (const [name, times] of results) print(row(name, 'ms', times))
  const of = (name: string) => rounded(median(results.get(name) ?? []))
  ensurePlausible('node itself', 1000 / of('node itself'), NODE_STARTS_PER_S_MIN, 'starts/s')
  return { with_agent_ms: of('with an agent'), alone_ms: of('alone'), node_startup_ms: of('node itself') }
}
