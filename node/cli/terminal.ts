/** Where the commands write: results to stdout, all words about them to stderr. */
import { styleText } from 'node:util'

/** The variable that is set for an agent in the background: nobody reads what it says here, its log is kept elsewhere. */
export const DETACHED = 'WAYSIDE_DETACHED'

export type Style = Parameters<typeof styleText>[0]

/** Styled for stderr, if that is a terminal and NO_COLOR is not set. */
export const paint = (style: Style, text: string): string => styleText(style, text, { stream: process.stderr })

/** Styled for stdout. */
export const paintOut = (style: Style, text: string): string => styleText(style, text, { stream: process.stdout })

export const say = (text: string): void => void process.stderr.write(`${text}\n`)

/** One aside on stderr. */
export const note = (text: string): void => say(paint('dim', text))

/** To stdout; resolves when there is room for more. */
export const print = async (text: string | Uint8Array): Promise<void> => {
  if (process.stdout.write(text)) return
  await new Promise<void>((resolve) => process.stdout.once('drain', resolve))
}

export const printJson = (value: unknown): Promise<void> => print(`${JSON.stringify(value)}\n`)

/** A wait that lasts longer is explained. */
const PATIENCE_MS = 2000

/** `work`; after 2 s stderr says what is waited for. */
export const whileWaiting = async <T>(what: string, work: Promise<T>): Promise<T> => {
  const timer = setTimeout(() => note(`waiting: ${what}`), PATIENCE_MS)
  try {
    return await work
  } finally {
    clearTimeout(timer)
  }
}

/** Ctrl-C, a polite end, and a terminal that was closed. */
const ENDINGS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export interface Interrupt {
  /** Aborted by the first Ctrl-C; the second ends the process at once. */
  readonly signal: AbortSignal
  /** Resolves when `signal` is aborted. */
  readonly aborted: Promise<void>
  /** Gives the keys back. */
  dispose(): void
}

export const onInterrupt = (): Interrupt => {
  const controller = new AbortController()
  const { promise: aborted, resolve } = Promise.withResolvers<void>()
  const interrupt = () => {
    if (controller.signal.aborted) process.exit(130)
    // What the terminal echoes of the key stays on a line of its own.
    if (process.stderr.isTTY) say('')
    controller.abort()
    resolve()
  }
  for (const name of ENDINGS) process.on(name, interrupt)
  const dispose = () => {
    for (const name of ENDINGS) process.off(name, interrupt)
  }
  return { signal: controller.signal, aborted, dispose }
}
