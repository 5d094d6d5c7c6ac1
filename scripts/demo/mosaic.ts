/** Many short tasks on a terminal: each a pixel or a part of one, in the colour of who answered. */
import { AGENT_COLOURS, halfBlocks, type Rgb } from './canvas.ts'

/** Nobody yet; from the memo; a wrong answer that was released; one of those that a re-check has found. */
export const [NONE, MEMO, WRONG, FOUND] = [0, 1, 2, 3] as const
/** The answer of an agent, by its number from 1. */
export const byAgent = (number: number): number => FOUND + number

const COLOURS: readonly Rgb[] = [
  [16, 16, 20],
  [150, 150, 160],
  [255, 30, 30],
  [255, 255, 255],
  // So dark that what is wrong shines.
  ...AGENT_COLOURS.map(([r, g, b]): Rgb => [r * 0.5, g * 0.5, b * 0.5].map(Math.round) as unknown as Rgb),
]

export class Mosaic {
  readonly #states: Uint8Array

  constructor(tasks: number) {
    this.#states = new Uint8Array(tasks)
  }

  set(task: number, state: number): void {
    if (task < this.#states.length) this.#states[task] = state
  }

  /** At most so many character cells, and no more than there are tasks. */
  lines(columns: number, lines: number): string[] {
    const each = Math.ceil(this.#states.length / (2 * columns * lines))
    const count = Math.ceil(this.#states.length / each)
    const pixels = Array.from({ length: count }, (_, i) => COLOURS[this.#stateOf(i * each, each)] as Rgb)
    while (pixels.length % (2 * columns) !== 0) pixels.push([0, 0, 0])
    return halfBlocks(pixels, columns)
  }

  /** A wrong answer shows, whatever is beside it; else what is there first. */
  #stateOf(from: number, each: number): number {
    const states = this.#states.subarray(from, from + each)
    for (const state of [WRONG, FOUND]) if (states.includes(state)) return state
    return states.find((state) => state !== NONE) ?? NONE
  }
}
