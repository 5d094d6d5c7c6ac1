/** `wayside up`: lends this machine until its owner says stop. */
import { flushCompileCache } from 'node:module'
import type { Agent } from '../agent.ts'
import { type Config, type Flags, readConfig } from '../config.ts'
import { type LogLine, lineToText } from '../log/line.ts'
import type { AgentLog } from '../log/log.ts'
import { printIntroduction } from './introduction.ts'
import { DETACHED, note, onInterrupt, paint, printJson, say, whileWaiting } from './terminal.ts'

/** Whoever waits for the end of work that was handed back waits no longer than this. */
const STOP_MS_MAX = 2000

export interface UpFlags extends Flags {
  detach?: boolean
  logFormat?: string
  logLevel?: string
  json?: boolean
}

/** Lines wait until the agent has introduced itself, or could not start. */
const logOn = (config: Config, shown: Promise<unknown>) => (log: AgentLog) => {
  if (process.env[DETACHED]) return
  const colour = paint('dim', '.') !== '.'
  const text = (line: LogLine) => (config.logFormat === 'json' ? JSON.stringify(line) : lineToText(line, colour))
  log.subscribe((line) => void shown.then(() => say(text(line))))
}

/** Ends the agent. Whatever of it is left after 2 s ends with the process. */
const stopSoon = (agent: Agent): Promise<void> => {
  const overdue = () => {
    say('some work could not be handed back in time; ending anyway')
    process.exit(0)
  }
  setTimeout(overdue, STOP_MS_MAX).unref()
  return agent.stop()
}

/** The agent goes on though nobody reads what it says, and though a part of it failed that nobody waited for. */
const stayUp = (agent: Agent) => {
  process.stdout.removeAllListeners('error').on('error', () => {})
  process.on('unhandledRejection', (cause) => {
    agent.log.event('internal.error', { code: 'E_INTERNAL', reason: String((cause as Error)?.stack ?? cause) })
  })
}

const introduce = async (starting: Promise<Agent>, config: Config, json: boolean | undefined): Promise<Agent> => {
  const what = config.join.length > 0 ? 'for a peer of the mesh to answer' : 'for the agent to start'
  const agent = await whileWaiting(what, starting)
  stayUp(agent)
  const status = await agent.status()
  await (json ? printJson(status) : printIntroduction(status))
  return agent
}

/** Exit status 0 once it was up, however it was asked to end; a second Ctrl-C ends the process at once with 130. */
export const up = async (flags: UpFlags): Promise<number> => {
  // Commander takes the absence of --no-mdns for a wish.
  const mdns = flags.mdns === false ? false : undefined
  const config = readConfig({ ...flags, mdns, log_format: flags.logFormat, log_level: flags.logLevel })
  if (flags.detach) return (await import('./detach.ts')).detach(config.data)
  const { signal, aborted } = onInterrupt()
  const { promise: introduced, resolve: goOn } = Promise.withResolvers<void>()
  const { startAgent } = await import('../agent.ts')
  const starting = startAgent(config, { onLog: logOn(config, introduced), signal })
  const agent = await introduce(starting, config, flags.json).finally(goOn)
  // Now, because agents are killed more often than they end: it is a third of the time that the next start takes. Half a second
  // the first time, when there is no such cache yet; 2 ms from then on.
  flushCompileCache()
  await Promise.race([agent.asked, aborted])
  note('stopping: no new work is taken, what runs is handed back')
  await stopSoon(agent)
  return 0
}
