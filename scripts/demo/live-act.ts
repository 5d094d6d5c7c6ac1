/** An eye that goes round the picture's scene: frame after frame, each strip of it a call of a WebAssembly function. */
import { fileURLToPath } from 'node:url'
import { MeshError } from '../../protocol/errors.ts'
import { decodeValue, encodeValue } from '../../protocol/values.ts'
import type { BackendResult } from '../../sdk/backend.ts'
import type { Act } from './act.ts'
import type { DemoAgent } from './agents.ts'
import { Canvas } from './canvas.ts'
import { connectHome, type Home } from './home.ts'
import { emptyLiveFrame, HEIGHT, type LiveFrame, STRIP_ROWS, STRIPS, WIDTH } from './live-frame.ts'
import { FRAMES_AROUND, stripInput } from './orbit.ts'

const SOURCE = fileURLToPath(new URL('../../examples/raytracer/frame.as.ts', import.meta.url))
/** Enough that no agent waits for the slowest strip of a frame; more would only make frames old. */
const FRAMES_AT_ONCE = 4
const TIMEOUT_MS = 30_000
/** The rate is counted over this long. */
const RATE_MS = 3000

export interface LiveEvents {
  agentOf(peer: string): DemoAgent | undefined
  /** A frame that is newer than all before it is whole. */
  frameCame(frame: LiveFrame): void
}

export class LiveAct implements Act {
  readonly caption =
    'a frame is six strips, each computed by an agent, as WebAssembly, on level none: nothing is checked'
  readonly #events: LiveEvents
  readonly #strips = new Map<string, number>()
  #frame = emptyLiveFrame(0)
  #drawn = -1
  /** When frames were shown, ms, those of late. */
  #shownMs: number[] = []
  shown = 0
  recovered = 0
  fuel = 0

  constructor(events: LiveEvents) {
    this.#events = events
  }

  /** Until `signal` fires. Throws MeshError if a strip cannot be had. */
  async run(ticket: string, signal: AbortSignal): Promise<void> {
    const home = await connectHome(ticket, SOURCE)
    let next = 1
    const lane = async () => {
      while (!signal.aborted) await this.#render(home, next++, signal)
    }
    try {
      await Promise.all(Array.from({ length: FRAMES_AT_ONCE }, lane))
    } catch (cause) {
      if (!signal.aborted) throw cause
    } finally {
      await home.backend.close()
    }
  }

  /** Frames a second that were shown of late. */
  rate(): number {
    const nowMs = performance.now()
    this.#shownMs = this.#shownMs.filter((ms) => nowMs - ms < RATE_MS)
    const [firstMs = nowMs] = this.#shownMs
    return this.#shownMs.length < 2 ? 0 : (1000 * (this.#shownMs.length - 1)) / (nowMs - firstMs)
  }

  /** The newest frame; it counts as shown the first time. */
  take(): LiveFrame {
    if (this.#frame.number !== this.#drawn) {
      this.#drawn = this.#frame.number
      this.#shownMs.push(performance.now())
      this.shown++
    }
    return this.#frame
  }

  picture(columns: number, lines: number): string[] {
    return new Canvas(this.take(), columns, lines).lines([])
  }

  share(): number {
    return (this.#frame.number % FRAMES_AROUND) / FRAMES_AROUND
  }

  progress(): string {
    return `${this.rate().toFixed(1)} frames/s of ${WIDTH} × ${HEIGHT}, frame ${this.#frame.number}`
  }

  answersOf(peer: string): number {
    return this.#strips.get(peer) ?? 0
  }

  differs(): boolean {
    return false
  }

  async #render(home: Home, number: number, signal: AbortSignal): Promise<void> {
    const frame = emptyLiveFrame(number)
    await Promise.all(Array.from({ length: STRIPS }, (_, i) => this.#strip(home, frame, i, signal)))
    if (number <= this.#frame.number) return
    this.#frame = frame
    this.#events.frameCame(frame)
  }

  async #strip({ backend, functionCid, manifest }: Home, frame: LiveFrame, i: number, signal: AbortSignal) {
    const result = await backend.call({
      ...{ function: functionCid, export: 'strip', limits: manifest.limits, verify: 'none', timeoutMs: TIMEOUT_MS },
      ...{
        input: encodeValue(stripInput(frame.number, i * STRIP_ROWS)),
        remote: true,
        public: false,
        receipt: false,
        signal,
      },
    })
    frame.rgb.set(pixelsOf(result), 3 * WIDTH * i * STRIP_ROWS)
    const [executor = ''] = result.executors
    frame.executors[i] = executor
    this.#strips.set(executor, this.answersOf(executor) + 1)
    this.recovered += result.recovered
    this.fuel += result.outcome.fuel
  }
}

const pixelsOf = ({ outcome: { result } }: BackendResult): Uint8Array => {
  if (!result.ok) throw new MeshError(result.code, result.message)
  return decodeValue(result.value) as Uint8Array
}
