/** The picture on its canvas; what has just come shines in the colour of who computed it. */
import { COLUMNS, HEIGHT, TILE_HEIGHT, TILE_WIDTH, WIDTH } from '../picture.ts'

const SHINE_MS = 900
/** How much of a picture stays to be seen beneath the next one. */
const GHOST = 0.22

interface Shine {
  x: number
  y: number
  colour: string
  sinceMs: number
}

export const placeOf = (index: number): { x: number; y: number } => ({
  x: (index % COLUMNS) * TILE_WIDTH,
  y: Math.floor(index / COLUMNS) * TILE_HEIGHT,
})

const opaque = (rgb: Uint8Array, width: number, height: number): ImageData => {
  const image = new ImageData(width, height)
  for (let from = 0, to = 0; from < rgb.length; from += 3, to += 4) {
    image.data[to] = rgb[from] as number
    image.data[to + 1] = rgb[from + 1] as number
    image.data[to + 2] = rgb[from + 2] as number
    image.data[to + 3] = 255
  }
  return image
}

export class PictureView {
  readonly #picture: CanvasRenderingContext2D
  readonly #glow: CanvasRenderingContext2D
  readonly #isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches
  #shines: Shine[] = []
  #isDrawing = false

  constructor(picture: HTMLCanvasElement, glow: HTMLCanvasElement) {
    this.#picture = picture.getContext('2d', { alpha: false }) as CanvasRenderingContext2D
    this.#glow = glow.getContext('2d') as CanvasRenderingContext2D
  }

  /** All of it at once. */
  show(rgb: Uint8Array): void {
    this.#picture.putImageData(opaque(rgb, WIDTH, HEIGHT), 0, 0)
  }

  /** Another one begins. */
  fade(): void {
    this.#picture.fillStyle = `rgb(5 6 10 / ${1 - GHOST})`
    this.#picture.fillRect(0, 0, WIDTH, HEIGHT)
  }

  tile(index: number, rgb: Uint8Array, colour: string): void {
    const { x, y } = placeOf(index)
    this.#picture.putImageData(opaque(rgb, TILE_WIDTH, TILE_HEIGHT), x, y)
    if (this.#isCalm) return
    this.#shines.push({ x, y, colour, sinceMs: performance.now() })
    if (!this.#isDrawing) requestAnimationFrame(() => this.#draw())
    this.#isDrawing = true
  }

  #draw(): void {
    const nowMs = performance.now()
    this.#shines = this.#shines.filter(({ sinceMs }) => nowMs - sinceMs < SHINE_MS)
    this.#glow.clearRect(0, 0, WIDTH, HEIGHT)
    this.#glow.lineWidth = 2
    for (const { x, y, colour, sinceMs } of this.#shines) {
      const left = 1 - (nowMs - sinceMs) / SHINE_MS
      this.#glow.globalAlpha = left * left * 0.35
      this.#glow.fillStyle = colour
      this.#glow.fillRect(x, y, TILE_WIDTH, TILE_HEIGHT)
      this.#glow.globalAlpha = left
      this.#glow.strokeStyle = colour
      this.#glow.strokeRect(x + 1, y + 1, TILE_WIDTH - 2, TILE_HEIGHT - 2)
    }
    this.#isDrawing = this.#shines.length > 0
    if (this.#isDrawing) requestAnimationFrame(() => this.#draw())
  }
}
