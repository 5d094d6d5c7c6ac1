/** What people see while the demo runs: a live picture on a colour terminal, plain lines anywhere else. */
import type { Act } from './act.ts'
import type { DemoAgent } from './agents.ts'
import { AGENT_COLOURS, foreground, RESET } from './canvas.ts'

export interface Screen {
  /** Something to know, once. */
  say(line: string): void
  /** Shows this act from now on. */
  show(act: Act): void
  /** The act has come further. */
  moved(): void
  /** Leaves the terminal as it was. */
  close(): void
}

const ESC = '\u001b['
/** Lines below the picture: agents, progress, the last messages, keys. */
const MESSAGES = 4
const LINES_BELOW = 3 + MESSAGES

export const isColourTerminal = (): boolean =>
  process.stdout.isTTY === true &&
  !process.env.NO_COLOR &&
  process.env.TERM !== 'dumb' &&
  process.stdout.getColorDepth() >= 8

/** Plain lines, one a message and one each tenth of the way. */
export const plainScreen = (): Screen => {
  let act: Act | undefined
  let tenths = 0
  return {
    say: (line) => console.log(line),
    show: (next) => {
      act = next
      tenths = 0
    },
    moved: () => {
      const now = Math.floor(10 * (act?.share() ?? 0))
      if (now === tenths) return
      tenths = now
      if (now > 0) console.log(`${String(now * 10).padStart(3)} %  ${act?.progress()}`)
    },
    close: () => {},
  }
}

const KEYS = { k: 'kill an agent', l: 'make one lie', q: 'end' }
const DRAW_EVERY_MS = 120

export class LiveScreen implements Screen {
  readonly #agents: () => readonly DemoAgent[]
  readonly #messages: string[] = []
  readonly #keys: Record<string, string>
  readonly #timer: NodeJS.Timeout
  #act: Act | undefined

  /** `keys`: what the keys do, by key. */
  constructor(agents: () => readonly DemoAgent[], keys: Record<string, string> = KEYS, drawEveryMs = DRAW_EVERY_MS) {
    this.#agents = agents
    this.#keys = keys
    process.stdout.write(`${ESC}?1049h${ESC}?25l`)
    this.#timer = setInterval(() => this.#draw(), drawEveryMs)
  }

  say(line: string): void {
    this.#messages.push(line)
  }

  show(act: Act): void {
    this.#act = act
    this.say(act.caption)
  }

  moved(): void {}

  close(): void {
    clearInterval(this.#timer)
    this.#draw()
    process.stdout.write(`${ESC}?25h${ESC}?1049l`)
  }

  #draw(): void {
    const { columns = 80, rows = 24 } = process.stdout
    const picture = this.#act?.picture(columns - 1, Math.max(4, rows - LINES_BELOW - 1)) ?? []
    const lines = [...picture, ...this.#below(columns - 1)].slice(0, rows - 1)
    process.stdout.write(`${ESC}H${lines.map((line) => `${line}${ESC}K`).join('\n')}${ESC}J`)
  }

  #below(width: number): string[] {
    const share = this.#act?.share() ?? 0
    const bar = '━'.repeat(Math.floor(share * 24)).padEnd(24, '─')
    const progress = `${bar} ${String(Math.floor(100 * share)).padStart(3)} %  ${this.#act?.progress() ?? ''}`
    const messages = Array.from({ length: MESSAGES }, (_, i) => this.#messages.at(i - MESSAGES) ?? '')
    return [
      this.#legend(),
      progress.slice(0, width),
      ...messages.map((line) => `${ESC}2m${line.slice(0, width)}${RESET}`),
      Object.entries(this.#keys)
        .map(([key, does]) => `${ESC}1m${key}${RESET} ${does}`)
        .join('   '),
    ]
  }

  #legend(): string {
    return this.#agents()
      .map(({ number, role, peer, alive }) => {
        const colour = foreground(AGENT_COLOURS[number - 1] as (typeof AGENT_COLOURS)[number])
        const count = this.#act?.answersOf(peer) ?? 0
        const state = !alive ? 'killed' : this.#act?.differs(peer) ? 'differs' : role === 'slow' ? 'slow' : ''
        return `${colour}■${RESET} ${number} ${String(count).padStart(3)}${state && ` ${state}`}`
      })
      .join('  ')
  }
}
