/** What a function printed: bounded, plain text. */
import { CONSOLE_BYTES_MAX, CONSOLE_LINES_MAX } from '../protocol/limits.ts'
import type { ConsoleLine } from '../protocol/outcome.ts'
import { plainText, withoutOurFrames } from './plain-text.ts'

const LEVELS: ReadonlySet<string> = new Set<ConsoleLine['level']>(['debug', 'log', 'info', 'warn', 'error'])

const LAST: ConsoleLine = { level: 'warn', text: '[what was printed beyond the limit is left out]' }

const utf8 = new TextEncoder()

export class GuestConsole {
  readonly lines: ConsoleLine[]
  #bytesLeft: number
  #full = false

  /** `before`: lines that came earlier, within the limits. */
  constructor(before: readonly ConsoleLine[] = []) {
    this.lines = [...before]
    this.#bytesLeft = CONSOLE_BYTES_MAX - LAST.text.length
    for (const { text } of before) this.#bytesLeft -= utf8.encode(text).length
    this.#full = before.at(-1)?.text === LAST.text
  }

  add(level: string, line: string): void {
    if (this.#full || !LEVELS.has(level)) return
    const text = withoutOurFrames(plainText(line, CONSOLE_BYTES_MAX))
    this.#bytesLeft -= utf8.encode(text).length
    this.#full = this.#bytesLeft < 0 || this.lines.length === CONSOLE_LINES_MAX - 1
    this.lines.push(this.#full ? LAST : { level: level as ConsoleLine['level'], text })
  }
}
