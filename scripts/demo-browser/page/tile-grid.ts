/** What lies over the picture to be pointed at, or walked through by arrow keys: whose each tile is. */
import type { TileNews } from '../events.ts'
import { COLUMNS, ROWS, TILES } from '../picture.ts'

export interface Whose {
  name: string
  colour: string
}

const STEPS: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -COLUMNS, ArrowDown: COLUMNS }

export class TileGrid {
  readonly #cells: HTMLElement[] = []
  readonly #tiles: (TileNews | undefined)[] = new Array(TILES).fill(undefined)
  readonly #grid: HTMLElement
  readonly #card: HTMLElement
  readonly #whose: (peer: string) => Whose
  #shown = -1

  constructor(grid: HTMLElement, card: HTMLElement, whose: (peer: string) => Whose) {
    this.#grid = grid
    this.#card = card
    this.#whose = whose
    grid.setAttribute('role', 'grid')
    grid.setAttribute('aria-label', 'Tiles of the picture: who computed and who checked each')
    for (let row = 0; row < ROWS; row++) grid.append(this.#row(row))
    this.#cells[0]?.setAttribute('tabindex', '0')
    grid.addEventListener('pointerover', ({ target }) => this.#show(this.#cells.indexOf(target as HTMLElement)))
    grid.addEventListener('pointerleave', () => this.#show(-1))
    grid.addEventListener('focusin', ({ target }) => this.#show(this.#cells.indexOf(target as HTMLElement)))
    grid.addEventListener('focusout', () => this.#show(-1))
    grid.addEventListener('keydown', (event) => this.#walk(event))
  }

  clear(): void {
    this.#tiles.fill(undefined)
    for (const index of this.#cells.keys()) this.#label(index)
    this.#show(this.#shown)
  }

  set(tile: TileNews): void {
    this.#tiles[tile.index] = tile
    this.#label(tile.index)
    if (this.#shown >= 0) this.#show(this.#shown)
  }

  #row(row: number): HTMLElement {
    const line = document.createElement('div')
    line.setAttribute('role', 'row')
    for (let column = 0; column < COLUMNS; column++) {
      const cell = document.createElement('div')
      cell.setAttribute('role', 'gridcell')
      cell.tabIndex = -1
      this.#cells.push(cell)
      this.#label(row * COLUMNS + column)
      line.append(cell)
    }
    return line
  }

  #label(index: number): void {
    const tile = this.#tiles[index]
    const place = `Row ${Math.floor(index / COLUMNS) + 1}, column ${(index % COLUMNS) + 1}`
    const words = tile
      ? `computed by ${this.#whose(tile.by).name}, checked by ${this.#checkers(tile)}`
      : 'not there yet'
    this.#cells[index]?.setAttribute('aria-label', `${place}: ${words}`)
  }

  #checkers({ verifiers }: TileNews): string {
    return verifiers.map((peer) => this.#whose(peer).name).join(', ')
  }

  #walk(event: KeyboardEvent): void {
    const step = STEPS[event.key]
    const from = this.#cells.indexOf(document.activeElement as HTMLElement)
    const to = from + (step ?? 0)
    const isSameRow = Math.floor(to / COLUMNS) === Math.floor(from / COLUMNS)
    if (step === undefined || from < 0 || !this.#cells[to] || (Math.abs(step) === 1 && !isSameRow)) return
    event.preventDefault()
    this.#cells[from]!.tabIndex = -1
    this.#cells[to].tabIndex = 0
    this.#cells[to].focus()
  }

  /** The card beside tile `index`, and all tiles of who computed it; -1: none. */
  #show(index: number): void {
    this.#shown = index
    const tile = this.#tiles[index]
    this.#card.hidden = tile === undefined
    for (const [at, cell] of this.#cells.entries())
      cell.classList.toggle('kin', tile !== undefined && at !== index && this.#tiles[at]?.by === tile.by)
    if (!tile) return
    this.#grid.style.setProperty('--kin', this.#whose(tile.by).colour)
    this.#card.replaceChildren(
      line('computed by', this.#whose(tile.by)),
      ...tile.verifiers.map((peer) => line('checked by', this.#whose(peer))),
      ...(tile.disputed ? [line('outvoted', { name: 'another answer', colour: '#f87171' })] : []),
    )
    this.#placeCard(index)
  }

  #placeCard(index: number): void {
    const column = index % COLUMNS
    const row = Math.floor(index / COLUMNS)
    const isLeft = column < COLUMNS / 2
    const isTop = row < ROWS / 2
    const { style } = this.#card
    style.left = isLeft ? `${(100 * (column + 1.2)) / COLUMNS}%` : 'auto'
    style.right = isLeft ? 'auto' : `${(100 * (COLUMNS - column + 0.2)) / COLUMNS}%`
    style.top = isTop ? `${(100 * row) / ROWS}%` : 'auto'
    style.bottom = isTop ? 'auto' : `${(100 * (ROWS - row - 1)) / ROWS}%`
  }
}

const line = (what: string, { name, colour }: Whose): HTMLElement => {
  const paragraph = document.createElement('p')
  const dot = document.createElement('i')
  dot.style.setProperty('--of', colour)
  const bold = document.createElement('b')
  bold.textContent = name
  paragraph.append(dot, `${what} `, bold)
  return paragraph
}
