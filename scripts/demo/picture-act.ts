/** The first act: a picture, each tile of it computed twice. */
import { fileURLToPath } from 'node:url'
import { emptyFrame, place, TILES } from '../../examples/raytracer/plan.ts'
import type { Act } from './act.ts'
import type { DemoAgent } from './agents.ts'
import { Effort } from './best.ts'
import { Canvas, type Edge } from './canvas.ts'
import { type Culprit, Culprits, type ProofFiles } from './culprits.ts'
import { connectHome } from './home.ts'
import { type RenderedTile, renderOnMesh } from './render.ts'

const SOURCE = fileURLToPath(new URL('../../examples/raytracer/tile.ts', import.meta.url))
/** The edges of a tile shine for so long. */
const EDGE_MS = 900

export interface PictureEvents {
  say(line: string): void
  agentOf(peer: string): DemoAgent | undefined
  /** After each tile. */
  moved(): void
  differs(culprit: Culprit): void
}

export class PictureAct implements Act {
  readonly caption = 'each tile is edged in the colour of who computed it'
  readonly frame = emptyFrame()
  readonly tilesByPeer = new Map<string, number>()
  readonly culprits: Culprits
  readonly effort = new Effort()
  readonly #events: PictureEvents
  #edges: (Edge & { untilMs: number })[] = []
  #startMs = 0
  #executions = 0
  tiles = 0
  recovered = 0
  firstPictureMs = 0
  totalMs = 0

  constructor(files: ProofFiles, events: PictureEvents) {
    this.#events = events
    this.culprits = new Culprits(files, (peer) => events.agentOf(peer)?.pid ?? 0)
  }

  async run(ticket: string, signal: AbortSignal): Promise<void> {
    this.#startMs = performance.now()
    const { backend, functionCid } = await connectHome(ticket, SOURCE)
    this.effort.begin()
    try {
      await renderOnMesh(backend, functionCid, signal, (rendered) => this.#receive(rendered))
    } finally {
      this.totalMs = Math.round(performance.now() - this.#startMs)
      await backend.close()
    }
  }

  get isDone(): boolean {
    return this.tiles === TILES.length
  }

  get executionsPerResult(): number {
    return Math.round((100 * this.#executions) / Math.max(1, this.tiles)) / 100
  }

  picture(columns: number, lines: number): string[] {
    const nowMs = performance.now()
    this.#edges = this.#edges.filter(({ untilMs }) => untilMs > nowMs)
    return new Canvas(this.frame, columns, lines).lines(this.#edges)
  }

  share(): number {
    return this.tiles / TILES.length
  }

  progress(): string {
    return `${this.tiles} of ${TILES.length} tiles, ${this.executionsPerResult} executions a tile`
  }

  answersOf(peer: string): number {
    return this.tilesByPeer.get(peer) ?? 0
  }

  differs(peer: string): boolean {
    return this.culprits.has(peer)
  }

  #receive({ tile, pixels, result, runs }: RenderedTile): void {
    const [executor = ''] = result.executors
    place(this.frame, tile, pixels)
    this.tiles++
    this.#executions += result.executions
    this.effort.answered(result.outcome.fuel, runs)
    this.recovered += result.recovered
    this.tilesByPeer.set(executor, this.answersOf(executor) + 1)
    const agent = this.#events.agentOf(executor)
    if (agent) this.#edges.push({ tile, agent: agent.number - 1, untilMs: performance.now() + EDGE_MS })
    for (const culprit of this.culprits.add(result.disputes)) this.#events.differs(culprit)
    if (this.firstPictureMs === 0 && !this.frame.step.includes(255)) {
      this.firstPictureMs = Math.round(performance.now() - this.#startMs)
      this.#events.say(`a whole picture after ${this.firstPictureMs} ms; now finer`)
    }
    this.#events.moved()
  }
}
