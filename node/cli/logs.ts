/** `wayside logs`: what the agent did, and for whom. */
import { MeshError } from '../../protocol/errors.ts'
import { dataDirOf } from '../config.ts'
import { type AgentClient, connectAgent, errorOf } from '../control/client.ts'
import { ITEM_BYTES } from '../control/frames.ts'
import { shownDataDir } from '../data-dir.ts'
import { readLogFile } from '../log/file.ts'
import { type LogLine, lineToText, names } from '../log/line.ts'
import { onInterrupt, paintOut, print } from './terminal.ts'

interface LogFlags {
  data?: string
  follow?: boolean
  json?: boolean
}

const show = (json: boolean | undefined) => {
  const colour = paintOut('dim', '.') !== '.'
  const text = (line: string) => (json ? `${line}\n` : `${lineToText(JSON.parse(line) as LogLine, colour)}\n`)
  return (lines: readonly string[]) => print(lines.map(text).join(''))
}

const fromAgent = (
  client: AgentClient,
  flags: LogFlags,
  about: string | undefined,
  signal: AbortSignal,
): Promise<void> =>
  new Promise((resolve, reject) => {
    const showAll = show(flags.json)
    const id = client.open(
      { t: 'logs', follow: flags.follow ?? false, about: about ?? null },
      {
        answer: async (frame) => {
          if (frame.t === 'done') resolve()
          else if (frame.t === 'lines') {
            await showAll(frame.lines)
            client.follow(id, {
              t: 'more',
              bytes: frame.lines.reduce((sum, line) => sum + line.length + ITEM_BYTES, 0),
            })
          } else reject(errorOf(frame))
        },
        lost: (error) => (flags.follow ? resolve() : reject(error)),
      },
    )
    signal.addEventListener('abort', () => resolve())
  })

/** With no agent running, what the last one left is shown all the same, and the exit status says so. */
const fromFile = async (data: string, flags: LogFlags, about: string | undefined): Promise<void> => {
  const lines = readLogFile(data).filter((line) => about === undefined || names(line, about))
  await show(flags.json)(lines.map((line) => JSON.stringify(line)))
}

export const logs = async (about: string | undefined, flags: LogFlags): Promise<number> => {
  const data = dataDirOf(flags.data)
  const { signal, dispose } = onInterrupt()
  let client: AgentClient
  try {
    client = await connectAgent(data)
  } catch (cause) {
    if (!(cause instanceof MeshError && cause.code === 'E_AGENT_NOT_RUNNING')) throw cause
    await fromFile(data, flags, about)
    const { shown, flag } = shownDataDir(data)
    const message = `no agent answers in ${shown}: these are the lines it left; start one with \`wayside up${flag}\``
    throw new MeshError('E_AGENT_NOT_RUNNING', message)
  }
  try {
    await fromAgent(client, flags, about, signal)
  } finally {
    client.close()
    dispose()
  }
  return signal.aborted ? 130 : 0
}
