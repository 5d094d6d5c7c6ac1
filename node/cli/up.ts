/** `wayside up`: lends this machine until its owner says stop. */
import type { Agent } from '../agent.ts'
import { type Config, type Flags, readConfig } from '../config.ts'
import { lineToText } from '../log/line.ts'
import type { AgentLog } from '../log/log.ts'
import { upWords } from './status-words.ts'
import { DETACHED, note, onInterrupt, paint, print, printJson, say, whileWaiting } from './terminal.ts'

/** Whoever waits for the end of work that was handed back waits no longer than this. */
const STOP_MS_MAX = 2000

export interface UpFlags extends Flags {
  detach?: boolean
  logFormat?: string
  logLevel?: string
  json?: boolean
}

const showLog = (config: Config) => (log: AgentLog) => {
  if (process.env[DETACHED]) return
  const colour = paint('dim', '.') !== '.'
  log.subscribe((line) => say(config.logFormat === 'json' ? JSON.stringify(line) : lineToText(line, colour)))
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

/** Exit status 0 however it was asked to end; a second Ctrl-C ends the process at once with 130. */
export const up = async (flags: UpFlags): Promise<number> => {
  // Commander takes the absence of --no-mdns for a wish.
  const mdns = flags.mdns === false ? false : undefined
  const config = readConfig({ ...flags, mdns, log_format: flags.logFormat, log_level: flags.logLevel })
  if (flags.detach) return (await import('./detach.ts')).detach(config.data)
  const { signal } = onInterrupt()
  const { startAgent } = await import('../agent.ts')
  const starting = startAgent(config, { onLog: showLog(config), signal })
  const agent = await whileWaiting(
    config.join.length > 0 ? 'for a peer of the mesh to answer' : 'for the agent',
    starting,
  )
  if (flags.json) await printJson(await agent.status())
  else await print(upWords(await agent.status()))
  const interrupted = new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve())
  })
  await Promise.race([agent.asked, interrupted])
  note('stopping: no new work is taken, what runs is handed back')
  await stopSoon(agent)
  return 0
}
