/** What people see while the demo runs: a live picture on a colour terminal, plain lines anywhere else. */
import { type Frame, TILES } from '../../examples/raytracer/plan.ts'
import type { DemoAgent } from './agents.ts'
import { AGENT_COLOURS, Canvas, type Edge, foreground, RESET } from './canvas.ts'
import type { DemoRecord } from './record.ts'

export interface Screen {
  /** Something to know, once. */
  say(line: string): void
  /** A tile came from this agent. */
  tile(edge: Edge): void
  /** Leaves the terminal as it was. */
  close(): void
}

const ESC = '\u001b['
const DRAW_EVERY_MS = 120
/** Edges shine for so long. */
const EDGE_MS = 900
/** Lines below the picture: agents, progress, the last messages, keys. */
const MESSAGES = 4
const LINES_BELOW = 3 + MESSAGES

export const isColourTerminal = (): boolean =>
  process.stdout.isTTY === true &&
  !process.env.NO_COLOR &&
  process.env.TERM !== 'dumb' &&
  process.stdout.getColorDepth() >= 8

/** Plain lines, one a message and one each tenth of the way. */
export const plainScreen = (record: DemoRecord): Screen => {
  let tenths = 0
  return {
    say: (line) => console.log(line),
    tile: () => {
      const now = Math.floor((10 * record.tiles) / TILES.length)
      if (now > tenths) console.log(`${now * 10} % of the tiles (${record.tiles} of ${TILES.length})`)
      tenths = Math.max(tenths, now)
    },
    close: () => {},
  }
}

export class LiveScreen implements Screen {
  readonly #frame: Frame
  readonly #record: DemoRecord
  readonly #agents: () => readonly DemoAgent[]
  readonly #messages: string[] = []
  #edges: (Edge & { untilMs: number })[] = []
  readonly #timer: NodeJS.Timeout

  constructor(frame: Frame, record: DemoRecord, agents: () => readonly DemoAgent[]) {
    this.#frame = frame
    this.#record = record
    this.#agents = agents
    process.stdout.write(`${ESC}?1049h${ESC}?25l`)
    this.#timer = setInterval(() => this.#draw(), DRAW_EVERY_MS)
  }

  say(line: string): void {
    this.#messages.push(line)
  }

  tile(edge: Edge): void {
    this.#edges.push({ ...edge, untilMs: performance.now() + EDGE_MS })
  }

  close(): void {
    clearInterval(this.#timer)
    this.#draw()
    process.stdout.write(`${ESC}?25h${ESC}?1049l`)
  }

  #draw(): void {
    const { columns = 80, rows = 24 } = process.stdout
    const nowMs = performance.now()
    this.#edges = this.#edges.filter(({ untilMs }) => untilMs > nowMs)
    const picture = new Canvas(this.#frame, columns - 1, Math.max(4, rows - LINES_BELOW - 1)).lines(this.#edges)
    const lines = [...picture, ...this.#below(columns - 1)].slice(0, rows - 1)
    process.stdout.write(`${ESC}H${lines.map((line) => `${line}${ESC}K`).join('\n')}${ESC}J`)
  }

  #below(width: number): string[] {
    const { tiles, executionsPerResult } = this.#record
    const share = Math.floor((100 * tiles) / TILES.length)
    const bar = '━'.repeat(Math.floor((share * 24) / 100)).padEnd(24, '─')
    const progress = `${bar} ${String(share).padStart(3)} %  ${tiles} of ${TILES.length} tiles, ${executionsPerResult} executions a tile`
    const messages = Array.from({ length: MESSAGES }, (_, i) => this.#messages.at(i - MESSAGES) ?? '')
    return [
      this.#legend(),
      progress.slice(0, width),
      ...messages.map((line) => `${ESC}2m${line.slice(0, width)}${RESET}`),
      `${ESC}1mk${RESET} kill an agent   ${ESC}1ml${RESET} make one lie   ${ESC}1mq${RESET} end`,
    ]
  }

  #legend(): string {
    return this.#agents()
      .map(({ number, role, peer, alive }) => {
        const colour = foreground(AGENT_COLOURS[number - 1] as (typeof AGENT_COLOURS)[number])
        const count = this.#record.tilesByPeer.get(peer) ?? 0
        const state = !alive ? 'killed' : this.#record.caught.has(peer) ? 'differs' : role === 'slow' ? 'slow' : ''
        return `${colour}■${RESET} ${number} ${String(count).padStart(3)}${state && ` ${state}`}`
      })
      .join('  ')
  }
}
