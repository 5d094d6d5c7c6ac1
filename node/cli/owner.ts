/** The commands with which an owner talks to the running agent: status, peers, pause, resume, down. */
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { MeshError } from '../../protocol/errors.ts'
import { parseDuration } from '../../sdk/bundle/units.ts'
import type { AgentStatus } from '../agent.ts'
import { dataDirOf } from '../config.ts'
import { type AgentClient, connectAgent, notRunning } from '../control/client.ts'
import { readEndpoint } from '../control/endpoint.ts'
import { eraseDataDir, readHolder, shownDataDir } from '../data-dir.ts'
import { peersWords, statusWords } from './status-words.ts'
import { print, printJson, whileWaiting } from './terminal.ts'
import { usageWords } from './usage-words.ts'
import { durationWords } from './words.ts'

const ROUND_MS = 20
const ROUNDS_AFTER_RELEASE = 50

export interface OwnerFlags {
  data?: string
  json?: boolean
}

export const withAgent = async <T>(
  flags: OwnerFlags,
  use: (client: AgentClient) => Promise<T>,
  what = 'for the agent to answer',
): Promise<T> => {
  const client = await connectAgent(dataDirOf(flags.data))
  try {
    return await whileWaiting(what, use(client))
  } finally {
    client.close()
  }
}

const askStatus = async (client: AgentClient): Promise<AgentStatus> =>
  (await client.ask({ t: 'status' }, 'status')).status as unknown as AgentStatus

export const status = async (flags: OwnerFlags): Promise<undefined> => {
  const found = await withAgent(flags, askStatus)
  await (flags.json ? printJson(found) : print(statusWords(found)))
}

export const peers = async (flags: OwnerFlags): Promise<undefined> => {
  const found = await withAgent(flags, askStatus)
  await (flags.json ? printJson(found.neighbours) : print(peersWords(found)))
}

export const usage = async (flags: OwnerFlags): Promise<undefined> => {
  const rows = (await withAgent(flags, askStatus)).usage ?? []
  await (flags.json ? printJson(rows) : print(usageWords(rows)))
}

export const pause = async (duration: string | undefined, flags: OwnerFlags): Promise<undefined> => {
  const durationMs = duration === undefined ? null : (parseDuration(duration) ?? Number.NaN)
  if (Number.isNaN(durationMs)) {
    throw new MeshError('E_USAGE', `${duration} is no DURATION; write 500ms, 30s, 5m or 2h, or nothing for no end`)
  }
  await withAgent(flags, (client) => client.ask({ t: 'pause', duration_ms: durationMs }, 'done'))
  const end = durationMs === null ? 'until `wayside resume`' : `for ${durationWords(durationMs)}`
  await (flags.json
    ? printJson({ paused: true, duration_ms: durationMs })
    : print(`paused ${end}: no new work is taken, what runs goes on\n`))
}

export const resume = async (flags: OwnerFlags): Promise<undefined> => {
  await withAgent(flags, (client) => client.ask({ t: 'resume' }, 'done'))
  await (flags.json ? printJson({ paused: false }) : print('lending again\n'))
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Asks the agent to end and waits until its process has; false if none runs. */
const stopAgent = async (data: string): Promise<boolean> => {
  const pid = readEndpoint(data)?.pid
  let client: AgentClient
  try {
    client = await connectAgent(data)
  } catch (cause) {
    if (cause instanceof MeshError && cause.code === 'E_AGENT_NOT_RUNNING') return false
    throw cause
  }
  await client.ask({ t: 'down' }, 'done')
  client.close()
  // Where nobody reaps orphans the process stays in the table; letting go of the directory is its last act.
  for (let rounds = 0; pid !== undefined && isAlive(pid); rounds++) {
    if (rounds >= ROUNDS_AFTER_RELEASE && readHolder(data) === undefined) break
    await sleep(ROUND_MS)
  }
  return true
}

export const down = async (flags: OwnerFlags & { erase?: boolean }): Promise<undefined> => {
  const data = dataDirOf(flags.data)
  const { shown } = shownDataDir(data)
  const stopped = await whileWaiting('for the agent to hand back its work', stopAgent(data))
  if (!stopped && !(flags.erase && existsSync(data))) throw notRunning(data)
  if (flags.erase) eraseDataDir(data)
  const words = [stopped ? 'the agent has stopped' : 'no agent was running', flags.erase ? `${shown} is erased` : '']
  await (flags.json
    ? printJson({ stopped, erased: flags.erase ?? false })
    : print(`${words.filter((word) => word !== '').join('; ')}\n`))
}
