/** `wayside up -d`: the same agent in a process of its own, left alone once it answers. */
import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AgentStatus } from '../agent.ts'
import { type AgentClient, connectAgent } from '../control/client.ts'
import { readEndpoint } from '../control/endpoint.ts'
import { printIntroduction } from './introduction.ts'
import { DETACHED, printJson, whileWaiting } from './terminal.ts'

const LOOK_EVERY_MS = 50

/** The connection to the agent in process `pid`, as soon as it answers; undefined if that process ended before. */
const answering = async (data: string, pid: number, exited: () => boolean): Promise<AgentClient | undefined> => {
  while (!exited()) {
    if (readEndpoint(data)?.pid === pid) return connectAgent(data)
    await sleep(LOOK_EVERY_MS)
  }
  return undefined
}

/** Exit status 0 once the agent answers, else that of the agent, whose words are passed on. */
export const detach = async (data: string): Promise<number> => {
  mkdirSync(join(data, 'log'), { recursive: true, mode: 0o700 })
  const words = join(data, 'log', 'last-words.txt')
  const output = openSync(words, 'w', 0o600)
  const [script = '', ...args] = process.argv.slice(1)
  const own = args.filter((arg) => arg !== '-d' && arg !== '--detach' && arg !== '--json')
  const child = spawn(process.execPath, [...process.execArgv, script, ...own], {
    detached: true,
    stdio: ['ignore', 'ignore', output],
    env: { ...process.env, [DETACHED]: '1' },
  })
  closeSync(output)
  let status: number | undefined
  child.once('exit', (code) => {
    status = code ?? 1
  })
  const client = await whileWaiting(
    'for the agent to answer',
    answering(data, child.pid ?? 0, () => status !== undefined),
  )
  if (!client) {
    process.stderr.write(readFileSync(words, 'utf8'))
    return status ?? 1
  }
  const answer = (await client.ask({ t: 'status' }, 'status')).status as unknown as AgentStatus
  client.close()
  child.unref()
  await (args.includes('--json') ? printJson(answer) : printIntroduction(answer))
  return 0
}
