/** Bytes as lines of text: what a program writes to be read by people. */
import { CONSOLE_BYTES_MAX } from '../../protocol/limits.ts'

class LineReader {
  readonly #line: (text: string) => void
  readonly #utf8 = new TextDecoder()
  #rest = ''
  #bytes = 0

  constructor(line: (text: string) => void) {
    this.#line = line
  }

  /** What comes after more than a console keeps is dropped. */
  write(bytes: Uint8Array): void {
    if (this.#bytes > CONSOLE_BYTES_MAX) return
    this.#bytes += bytes.length
    const lines = (this.#rest + this.#utf8.decode(bytes.subarray(0, CONSOLE_BYTES_MAX + 1), { stream: true })).split(
      '\n',
    )
    this.#rest = lines.pop() as string
    for (const line of lines) this.#line(line)
  }

  /** Also what has no end of line. */
  end(): void {
    const last = this.#rest + this.#utf8.decode()
    this.#rest = ''
    if (last !== '') this.#line(last)
  }
}

/** What programs print at several levels, as lines. */
export class ConsoleLines {
  readonly #add: (level: string, line: string) => void
  readonly #readers = new Map<string, LineReader>()

  constructor(add: (level: string, line: string) => void) {
    this.#add = add
  }

  write(level: string, bytes: Uint8Array): void {
    const reader = this.#readers.get(level) ?? new LineReader((line) => this.#add(level, line))
    this.#readers.set(level, reader)
    reader.write(bytes)
  }

  end(): void {
    for (const reader of this.#readers.values()) reader.end()
  }
}
