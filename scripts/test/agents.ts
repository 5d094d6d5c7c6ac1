/** For tests: real agents, each with a data directory of its own, on loopback; and commands that reach them. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
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

/** Runs `wayside` to its end in the folder `home`, which is also its home directory. */
export const runWayside = (command: Command, args: readonly string[], home: string) => {
  const [program, ...first] = command
  const { status, stdout, stderr } = spawnSync(program, [...first, ...args], {
    cwd: home,
    env: environmentIn(home),
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

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
    const { status, stdout } = runWayside(command, ['status', '--json', '--data', data], home)
    if (status === 0) return { data, pid: child.pid!, ...JSON.parse(stdout), stop: () => stop(child) }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  await stop(child)
  throw new Error(`the agent in ${data} did not start:\n${said}`)
}
