/** For tests: real agents, each with a data directory of its own, on loopback; and commands that reach them. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/** How `wayside` is started: program and first arguments. */
export type Command = readonly [string, ...string[]]

/** The command of this checkout. */
export const WAYSIDE: Command = [process.execPath, join(import.meta.dirname, '../../bin/wayside.js')]

const READY_MS_MAX = 30_000

/** Nothing of our own environment but the path, so that no agent or configuration of the machine is met. */
export const environmentIn = (home: string): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  HOME: home,
  NO_COLOR: '1',
})

export interface Ended {
  status: number | null
  stdout: string
  stderr: string
}

/** Runs a program to its end in the folder `home`, which is also its home directory. */
export const runIn = (
  home: string,
  program: string,
  args: readonly string[],
  env = environmentIn(home),
): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: home, env, stdio: ['ignore', 'pipe', 'pipe'] })
    const said = { stdout: '', stderr: '' }
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8').on('data', (text) => {
        said[stream] += text
      })
    }
    child.once('error', reject)
    child.once('close', (status) => resolve({ status, ...said }))
  })

/** The same for a `wayside` command. */
export const runWayside = ([program, ...first]: Command, args: readonly string[], home: string): Promise<Ended> =>
  runIn(home, program, [...first, ...args])

export interface AgentProcess {
  data: string
  pid: number
  peer: string
  ticket: string
  stop(): Promise<void>
}

const stop = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
}

/** Starts an agent that lends one sandbox, with its data in `home`/`name`, and waits until it answers. */
export const startAgent = async (
  command: Command,
  home: string,
  name: string,
  ticket?: string,
): Promise<AgentProcess> => {
  const [program, ...first] = command
  const data = join(home, name)
  const args = ['up', '--data', data, '--listen', '/ip4/127.0.0.1/tcp/0', '--cpus', '1', '--no-mdns']
  const joining = ticket === undefined ? [] : ['--join', ticket]
  const child = spawn(program, [...first, ...args, ...joining], {
    cwd: home,
    env: environmentIn(home),
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', (chunk) => {
    said += chunk
  })
  const endMs = performance.now() + READY_MS_MAX
  while (child.exitCode === null && performance.now() < endMs) {
    const { status, stdout } = await runWayside(command, ['status', '--json', '--data', data], home)
    if (status === 0) return { data, pid: child.pid!, ...JSON.parse(stdout), stop: () => stop(child) }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  await stop(child)
  throw new Error(`the agent in ${data} did not start:\n${said}`)
}
