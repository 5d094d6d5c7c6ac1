/** Real agents for benchmarks: `wayside up` in a fresh data directory, on loopback. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const CLI = fileURLToPath(new URL('../bin/wayside.js', import.meta.url))
const run = promisify(execFile)
const READY_MS_MAX = 15_000

export interface BenchAgent {
  data: string
  pid: number
  ticket: string
  /** Takes no work until `resume`. */
  pause(): Promise<void>
  resume(): Promise<void>
  stop(): Promise<void>
  /** SIGKILL; what it kept is there for the next. */
  kill(): Promise<void>
}

const environment = () => {
  const { PATH = '', HOME = '' } = process.env
  return { PATH, HOME }
}

/** The first line that it prints says what it is. */
const untilReady = async (child: ChildProcess): Promise<string> => {
  const lines = createInterface(child.stdout as Readable)
  const signal = AbortSignal.timeout(READY_MS_MAX)
  const ended = once(child, 'exit', { signal }).then(([code]) => {
    throw new Error(`the agent ended with ${code} before it was ready`)
  })
  const [line] = (await Promise.race([once(lines, 'line', { signal }), ended])) as [string]
  ended.catch(() => {})
  return (JSON.parse(line) as { ticket: string }).ticket
}

/** What ends each agent that runs: a bench that fails leaves nothing behind. */
const left = new Set<() => void>()
process.once('exit', () => {
  for (const abandon of left) abandon()
})

/**
 * Starts an agent that lends `cpus` slots; `join`: the ticket of another; `listen`: where, by TCP unless given; `data`: what
 * one that was killed has left.
 */
export const startAgent = async (options: {
  cpus: number
  join?: string
  listen?: string
  data?: string
}): Promise<BenchAgent> => {
  const data = options.data ?? mkdtempSync(join(tmpdir(), 'wayside-bench-'))
  const args = [
    'up',
    '--json',
    '--data',
    data,
    '--listen',
    options.listen ?? '/ip4/127.0.0.1/tcp/0',
    '--no-mdns',
    '--log-level',
    'warn',
    '--cpus',
    String(options.cpus),
  ]
  if (options.join) args.push('--join', options.join)
  const child = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'pipe', 'inherit'], env: environment() })
  const abandon = () => {
    child.kill('SIGKILL')
    rmSync(data, { recursive: true, force: true, maxRetries: 3 })
  }
  left.add(abandon)
  const stop = async () => {
    left.delete(abandon)
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    }
    rmSync(data, { recursive: true, force: true })
  }
  const kill = async () => {
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
    left.delete(abandon)
  }
  const ticket = await untilReady(child)
  const tell = async (...order: string[]) => {
    await run(process.execPath, [CLI, ...order, '--data', data], { env: environment() })
  }
  return {
    data,
    pid: child.pid as number,
    ticket,
    pause: () => tell('pause'),
    resume: () => tell('resume'),
    stop,
    kill,
  }
}
