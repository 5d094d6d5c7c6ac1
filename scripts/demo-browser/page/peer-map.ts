/** The map: the home in the middle, the others around it, lines where there is a connection, and tiles on their way. */
import type { MapNode } from '../events.ts'
import { colourOf } from './colours.ts'

const SVG = 'http://www.w3.org/2000/svg'
const [MIDDLE_X, MIDDLE_Y, AROUND_X, AROUND_Y] = [200, 142, 148, 106]
const RADIUS = 13
const RING_RADIUS = 19
const RING_LENGTH = 2 * Math.PI * RING_RADIUS
/** Tiles under way at one peer that close its ring. */
const RUNNING_FULL = 8
const TRAVEL_MS = 550
const TRAVELLERS_MAX = 24

interface Place {
  x: number
  y: number
}

const make = (name: string, attributes: Record<string, string | number>): SVGElement => {
  const element = document.createElementNS(SVG, name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value))
  return element
}

/** Agents on the upper arc, tabs on the lower one, evenly. */
const placesOf = (nodes: readonly MapNode[]): Map<string, Place> => {
  const places = new Map<string, Place>()
  for (const { peer, kind } of nodes) if (kind === 'home') places.set(peer, { x: MIDDLE_X, y: MIDDLE_Y })
  for (const [kind, from] of [
    ['agent', Math.PI],
    ['tab', 0],
  ] as const) {
    const some = nodes.filter((node) => node.kind === kind)
    for (const [i, { peer }] of some.entries()) {
      const angle = from + (Math.PI * (i + 0.5)) / some.length
      places.set(peer, { x: MIDDLE_X + AROUND_X * Math.cos(angle), y: MIDDLE_Y + AROUND_Y * Math.sin(angle) })
    }
  }
  return places
}

/** Where a visitor's tab would be, as long as there is none. */
const freePlace = (nodes: readonly MapNode[]): SVGElement[] => {
  if (nodes.some(({ kind }) => kind === 'tab')) return []
  const group = make('g', { transform: `translate(${MIDDLE_X} ${MIDDLE_Y + AROUND_Y})` })
  const label = make('text', { x: RADIUS + 10, y: 4, class: 'beside' })
  label.textContent = 'room for a tab'
  group.append(make('circle', { r: RADIUS, class: 'nobody' }), label)
  return [group]
}

export class PeerMap {
  readonly #svg: SVGSVGElement
  readonly #title: Element | null
  readonly #lines = make('g', {})
  readonly #moving = make('g', {})
  readonly #marks = make('g', {})
  readonly #isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches
  #places = new Map<string, Place>()
  #home: Place = { x: MIDDLE_X, y: MIDDLE_Y }
  /** Who is there, connected to whom: what is drawn anew when it changes. */
  #drawn = ''
  readonly #rings = new Map<string, SVGElement>()

  constructor(svg: SVGSVGElement) {
    this.#svg = svg
    this.#title = svg.querySelector('title')
    svg.append(this.#lines, this.#moving, this.#marks)
  }

  show(nodes: readonly MapNode[]): void {
    const shape = JSON.stringify(nodes.map(({ peer, links }) => [peer, links]))
    if (shape !== this.#drawn) this.#draw(nodes)
    this.#drawn = shape
    for (const { peer, running } of nodes) {
      const part = Math.min(1, running / RUNNING_FULL) * RING_LENGTH
      this.#rings.get(peer)?.setAttribute('stroke-dasharray', `${part} ${RING_LENGTH}`)
      this.#rings.get(peer)?.setAttribute('stroke-opacity', part > 0 ? '1' : '0')
    }
  }

  /** A tile goes from who computed it to the home. */
  travel(peer: string, colour: string): void {
    const from = this.#places.get(peer)
    if (!from || this.#isCalm || document.hidden || this.#moving.childElementCount >= TRAVELLERS_MAX) return
    const dot = make('circle', { r: 3.5, class: 'tile' })
    dot.style.setProperty('--of', colour)
    this.#moving.append(dot)
    const steps = [`translate(${from.x}px, ${from.y}px)`, `translate(${this.#home.x}px, ${this.#home.y}px)`]
    const animation = dot.animate({ transform: steps }, { duration: TRAVEL_MS, easing: 'ease-in' })
    animation.onfinish = () => dot.remove()
  }

  #draw(nodes: readonly MapNode[]): void {
    this.#places = placesOf(nodes)
    this.#rings.clear()
    this.#lines.replaceChildren(...this.#linesOf(nodes))
    this.#marks.replaceChildren(...nodes.map((node) => this.#mark(node)), ...freePlace(nodes))
    const words = nodes.map(({ name, links }) => `${name}, connected to ${links.length}`)
    if (this.#title) this.#title.textContent = `The map of peers: ${words.join('; ')}`
    this.#svg.dataset.peers = String(nodes.length)
  }

  #linesOf(nodes: readonly MapNode[]): SVGElement[] {
    return nodes.flatMap(({ peer, links }) =>
      links
        .filter((other) => peer < other)
        .flatMap((other) => {
          const [a, b] = [this.#places.get(peer), this.#places.get(other)]
          return a && b ? [make('line', { x1: a.x, y1: a.y, x2: b.x, y2: b.y })] : []
        }),
    )
  }

  #mark(node: MapNode): SVGElement {
    const { x, y } = this.#places.get(node.peer) as Place
    const group = make('g', { transform: `translate(${x} ${y})` })
    group.style.setProperty('--of', colourOf(node))
    const ring = make('circle', {
      r: RING_RADIUS,
      class: 'ring',
      'stroke-opacity': 0,
      transform: 'rotate(-90)',
    })
    this.#rings.set(node.peer, ring)
    const label = make('text', { y: 36 })
    label.textContent = node.name
    group.append(make('circle', { r: RADIUS, class: 'mark' }), ring, label)
    return group
  }
}
