/** The command `wayside`: reads the command line, runs one command, says what failed and with which exit code. */
import { CommanderError } from 'commander'
import { ERRORS, MeshError } from '../../protocol/errors.ts'
import { showGuestStack } from './guest-words.ts'
import { createProgram } from './program.ts'
import { paint, printJson, say } from './terminal.ts'

const asMeshError = (cause: unknown): MeshError => {
  if (cause instanceof MeshError) return cause
  const message = `${(cause as Error)?.message ?? cause}; this is a defect in wayside, set WAYSIDE_DEBUG=1 to see where`
  return new MeshError('E_INTERNAL', message, { cause })
}

/** Exit status of what a command threw, after saying it. */
const report = async (cause: unknown, json: boolean): Promise<number> => {
  if (cause instanceof CommanderError) return cause.exitCode === 0 ? 0 : ERRORS.E_USAGE.exit
  const error = asMeshError(cause)
  const { code, message } = error
  say(`${paint(['red', 'bold'], 'error')} ${paint('bold', code)}: ${message}`)
  const { stack } = error.fields as { stack?: string }
  if (stack) showGuestStack(stack)
  if (process.env.WAYSIDE_DEBUG) say(paint('dim', String((error.cause as Error)?.stack ?? error.stack)))
  if (json) await printJson({ error: { code, message, ...(stack && { stack }) } })
  return ERRORS[code].exit
}

/** Whoever reads our output may have seen enough: no failure. */
const bearClosedPipes = () => {
  process.stdout.on('error', () => process.exit(0))
  process.stderr.on('error', () => {})
}

/** Runs the command that `args` (without node and script) name. Sets the exit status of the process. */
export const main = async (args: string[]): Promise<void> => {
  bearClosedPipes()
  let status = 0
  const program = createProgram((exit) => {
    status = exit
  })
  try {
    if (args.length === 0) return program.outputHelp()
    await program.parseAsync(args, { from: 'user' })
  } catch (cause) {
    status = await report(cause, args.includes('--json'))
  }
  process.exitCode = status
}
