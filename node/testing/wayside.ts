/** Real agents and commands for process tests: in fresh directories, on loopback, gone when the test file is done. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll } from 'vitest'
import type { AgentStatus } from '../agent.ts'
import { connectAgent } from '../control/client.ts'

const CLI = fileURLToPath(new URL('../../bin/wayside.js', import.meta.url))
const LENDING = ['--cpus', '1', '--memory', '128MiB']
const LOOPBACK = '/ip4/127.0.0.1/tcp/0'

const children: Running[] = []
const directories: string[] = []

afterAll(async () => {
  for (const { child } of children) child.kill('SIGKILL')
  await Promise.all(children.map(({ ended }) => ended))
  for (const directory of directories) rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
})

export const freshDirectory = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'wayside-test-'))
  directories.push(directory)
  return directory
}

/** The folder of a project with these bindings, and these files beside its configuration. */
export const freshProject = (env: object, files: Readonly<Record<string, string>>): string => {
  const directory = freshDirectory()
  const all = { 'package.json': '{"type":"module"}', 'wayside.json': JSON.stringify({ env }), ...files }
  for (const [name, text] of Object.entries(all)) writeFileSync(join(directory, name), text)
  return directory
}

export interface Run {
  status: number | null
  stdout: string
  stderr: string
}

export interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<Run>
}

export interface RunOptions {
  /** The command's script: that of this checkout, unless given. */
  program?: string
  env?: Record<string, string>
  cwd?: string
  input?: string
  /** Runs it in this network namespace. */
  netns?: string
}

/** Starts a command with nothing of the surrounding WAYSIDE_* variables, and not to meet who else is on the network. */
export const begin = (
  args: readonly string[],
  { program = CLI, env = {}, cwd, input, netns }: RunOptions = {},
): Running => {
  const { PATH = '' } = process.env
  const [command, ...rest] = [...(netns ? ['ip', 'netns', 'exec', netns] : []), process.execPath, program, ...args]
  const child = spawn(command as string, rest, {
    env: { PATH, HOME: '/nonexistent', WAYSIDE_MDNS: 'false', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(cwd !== undefined && { cwd }),
  })
  const run: Run = { status: null, stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    run.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    run.stderr += text
  })
  child.stdin.on('error', () => {})
  child.stdin.end(input ?? '')
  const ended = once(child, 'close').then(([status]) => ({ ...run, status: status as number | null }))
  children.push({ child, ended })
  return { child, ended }
}

/** What a command said, without what it waited for: how long that takes is the machine's business. */
export const withoutWaits = (stderr: string): string => stderr.replace(/^waiting: .*\n/gm, '')

/** Runs a command to its end. */
export const wayside = (args: readonly string[], options?: RunOptions): Promise<Run> => begin(args, options).ended

export interface TestAgent extends Running {
  readonly data: string
  readonly pid: number
  /** As it was when the agent was up. */
  readonly status: AgentStatus
  /** Ends it; resolves with what it printed. */
  stop(signal?: NodeJS.Signals): Promise<Run>
}

export interface AgentRunOptions extends RunOptions {
  data?: string
  /** Default: a free port on loopback. */
  listen?: string
}

/** Starts an agent that lends one core, and resolves once it is up. Rejects with what it said if it ends before. */
export const startAgent = async (
  args: readonly string[] = [],
  { data = freshDirectory(), listen = LOOPBACK, ...options }: AgentRunOptions = {},
): Promise<TestAgent> => {
  const running = begin(['up', '--json', '--data', data, '--listen', listen, ...LENDING, ...args], options)
  const { child, ended } = running
  let printed = ''
  const status = await new Promise<AgentStatus>((resolve, reject) => {
    child.stdout?.on('data', (text: string) => {
      printed += text
      const [line = '', ...more] = printed.split('\n')
      if (more.length > 0 && !line.startsWith('{"error"')) resolve(JSON.parse(line))
    })
    ended.then(({ stderr }) => reject(new Error(`the agent ended before it was up: ${stderr}`)))
  })
  const stop = (signal: NodeJS.Signals = 'SIGTERM') => {
    child.kill(signal)
    return ended
  }
  return { ...running, data, pid: child.pid as number, status, stop }
}

/** Resolves once `holds` does; rejects if it does not for a minute: the machine may be busy. */
export const until = async (holds: () => Promise<boolean> | boolean): Promise<void> => {
  const endMs = performance.now() + 60_000
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error(`waited in vain for ${holds}`)
    await sleep(50)
  }
}

/** Agents of one mesh: the first founds it, the others join it. Resolves once the first has all others in reach. */
export const startMesh = async (count: number, args: readonly string[] = []): Promise<TestAgent[]> => {
  const first = await startAgent(args)
  const join = ['--join', first.status.ticket as string]
  const others = await Promise.all(Array.from({ length: count - 1 }, () => startAgent([...join, ...args])))
  await until(async () => (await statusOf(first.data)).neighbours.filter(({ slots }) => slots > 0).length >= count - 1)
  return [first, ...others]
}

/** By the agent's socket: tests ask often, and a command of its own takes a tenth of a second. */
export const statusOf = async (data: string): Promise<AgentStatus> => {
  const client = await connectAgent(data)
  try {
    return (await client.ask({ t: 'status' }, 'status')).status as unknown as AgentStatus
  } finally {
    client.close()
  }
}
