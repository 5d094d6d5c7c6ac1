/** Bytes as lines of text: what a program writes to be read by people. */
import { CONSOLE_BYTES_MAX } from '../../protocol/limits.ts'

export class LineReader {
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
