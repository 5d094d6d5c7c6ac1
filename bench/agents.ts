/** Real agents for benchmarks: `wayside up` in a fresh data directory, on loopback. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const CLI = fileURLToPath(new URL('../bin/wayside.js', import.meta.url))
const run = promisify(execFile)
const READY_MS_MAX = 15_000

export interface BenchAgent {
  data: string
  pid: number
  ticket: string
  stop(): Promise<void>
}

const environment = () => {
  const { PATH = '', HOME = '' } = process.env
  return { PATH, HOME }
}

const untilReady = async (data: string, child: ChildProcess): Promise<string> => {
  const endMs = performance.now() + READY_MS_MAX
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the agent ended with ${child.exitCode} before it was ready`)
    try {
      const { stdout } = await run(process.execPath, [CLI, 'status', '--json', '--data', data], { env: environment() })
      return (JSON.parse(stdout) as { ticket: string }).ticket
    } catch (cause) {
      if (performance.now() > endMs) throw cause
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Starts an agent that lends `cpus` slots; `join`: the ticket of another. */
export const startAgent = async (options: { cpus: number; join?: string }): Promise<BenchAgent> => {
  const data = mkdtempSync(join(tmpdir(), 'wayside-bench-'))
  const args = [
    'up',
    '--data',
    data,
    '--listen',
    '/ip4/127.0.0.1/tcp/0',
    '--no-mdns',
    '--log-level',
    'warn',
    '--cpus',
    String(options.cpus),
  ]
  if (options.join) args.push('--join', options.join)
  const child = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'ignore', 'inherit'], env: environment() })
  // A bench that fails leaves nothing behind.
  const abandon = () => {
    child.kill('SIGKILL')
    rmSync(data, { recursive: true, force: true, maxRetries: 3 })
  }
  process.once('exit', abandon)
  const stop = async () => {
    process.off('exit', abandon)
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    }
    rmSync(data, { recursive: true, force: true })
  }
  const ticket = await untilReady(data, child)
  return { data, pid: child.pid as number, ticket, stop }
}
