/** What a function said, as words of its own: nobody vouches for them but the function. */
import { basename } from 'node:path'
import type { ConsoleLine } from '../../protocol/outcome.ts'
import { plainText } from '../plain-text.ts'
import { note, paint, say } from './terminal.ts'

const STYLES = { error: 'red', warn: 'yellow', debug: 'dim', log: 'reset', info: 'reset' } as const

/** What it printed, marked with the name of its `source`. */
export const showConsole = (lines: readonly ConsoleLine[], source: string): void => {
  const mark = paint('dim', `${basename(source)} says │`)
  for (const { level, text } of lines)
    for (const line of text.split('\n')) say(`${mark} ${paint(STYLES[level], plainText(line))}`)
}

/** Where in the function it failed, under the words that say what failed. */
export const showGuestStack = (stack: string): void => {
  for (const line of stack.split('\n')) if (line.trim() !== '') note(`    ${plainText(line.trim())}`)
}
