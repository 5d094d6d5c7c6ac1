/** The calls of a run, on their way between the peers: the Earth as an equirectangular map. */
import type { WorldMap as Mapped, Pictures, Table } from '../../../simulations/pictures/pictures.ts'
import { colour, element, whenLooksChange } from './element.ts'

/** Of the arc of a great circle. */
const STEPS = 48
/** So many calls begin in a second of whoever looks, where there are as many. */
const BEGIN_PER_S = 14
/** However seldom somebody asks, it takes so long at most, s of whoever looks. */
const WHOLE_S_MAX = 60
/** Arcs of a still picture. */
const STILL_MAX = 300
/** How long an arc is seen after its answer, s of whoever looks. */
const FADES_S = 0.7
const DEGREE = Math.PI / 180

interface Point {
  x: number
  y: number
}

interface Call {
  from: number
  to: number
  askedS: number
  answeredS: number
  travelS: number
  /** Along the great circle, in parts of the map's width and height. */
  way: Point[]
}

type Vector = [number, number, number]

const vectorOf = (latitude: number, longitude: number): Vector => [
  Math.cos(latitude * DEGREE) * Math.cos(longitude * DEGREE),
  Math.cos(latitude * DEGREE) * Math.sin(longitude * DEGREE),
  Math.sin(latitude * DEGREE),
]

const pointOf = ([x, y, z]: Vector): Point => ({
  x: 0.5 + Math.atan2(y, x) / (2 * Math.PI),
  y: 0.5 - Math.asin(Math.min(1, Math.max(-1, z))) / Math.PI,
})

const wayBetween = (a: Vector, b: Vector): Point[] => {
  const angle = Math.acos(Math.min(1, Math.max(-1, a[0] * b[0] + a[1] * b[1] + a[2] * b[2])))
  if (angle < 1e-6) return [pointOf(a), pointOf(b)]
  return Array.from({ length: STEPS + 1 }, (_, i) => {
    const [before, after] = [Math.sin((1 - i / STEPS) * angle), Math.sin((i / STEPS) * angle)]
    const mixed = a.map((_, axis) => ((a[axis] as number) * before + (b[axis] as number) * after) / Math.sin(angle))
    return pointOf(mixed as Vector)
  })
}

const column = (table: Table, name: string): readonly number[] => table[name] ?? []

const callsOf = (table: Table, vectors: readonly Vector[]): Call[] =>
  column(table, 'from').map((from, i) => {
    const to = column(table, 'to')[i] as number
    return {
      ...{ from, to, askedS: column(table, 'asked_s')[i] as number },
      ...{ answeredS: column(table, 'answered_s')[i] as number, travelS: column(table, 'travel_s')[i] as number },
      way: wayBetween(vectors[from] as Vector, vectors[to] as Vector),
    }
  })

class WorldMap {
  readonly canvas = element('canvas') as HTMLCanvasElement
  /** S of the world in a second of whoever looks. */
  readonly pace: number
  readonly #calls: readonly Call[]
  readonly #points: readonly Point[]
  readonly #asks: readonly number[]
  readonly #firstS: number
  readonly #lastS: number
  #width = 0
  #height = 0

  constructor(peers: Table, calls: Table) {
    const longitudes = column(peers, 'longitude_degrees')
    const vectors = column(peers, 'latitude_degrees').map((latitude, i) => vectorOf(latitude, longitudes[i] as number))
    this.#points = vectors.map(pointOf)
    this.#asks = column(peers, 'asks')
    this.#calls = callsOf(calls, vectors)
    this.#firstS = Math.min(...this.#calls.map(({ askedS }) => askedS))
    this.#lastS = Math.max(...this.#calls.map(({ answeredS }) => answeredS))
    const wholeS = this.#lastS - this.#firstS
    const perS = this.#calls.length / wholeS
    this.pace = Math.min(BEGIN_PER_S / perS, Math.max(1, wholeS / WHOLE_S_MAX))
  }

  resize(width: number): void {
    const ratio = devicePixelRatio
    this.#width = width
    this.#height = width / 2
    this.canvas.width = Math.round(width * ratio)
    this.canvas.height = Math.round((width * ratio) / 2)
    this.canvas.getContext('2d')?.setTransform(ratio, 0, 0, ratio, 0, 0)
  }

  /** As all of it looked, for who wants nothing to move. */
  still(): void {
    const context = this.#begin()
    const every = Math.max(1, Math.ceil(this.#calls.length / STILL_MAX))
    for (const [i, call] of this.#calls.entries()) if (i % every === 0) this.#arc(context, call, 0.35)
    this.#peers(context, new Set())
  }

  /** `sinceS`: s of whoever looks. The whole is repeated. */
  at(sinceS: number): void {
    const context = this.#begin()
    const nowS = this.#firstS + ((sinceS * this.pace) % (this.#lastS - this.#firstS))
    const busy = new Set<number>()
    for (const call of this.#calls) {
      const overS = (nowS - call.answeredS) / this.pace
      if (call.askedS > nowS || overS > FADES_S) continue
      this.#arc(context, call, overS < 0 ? 0.55 : 0.55 * (1 - overS / FADES_S))
      if (overS < 0) this.#travel(context, call, nowS, busy)
    }
    this.#peers(context, busy)
  }

  #travel(
    context: CanvasRenderingContext2D,
    { askedS, answeredS, travelS, way, to }: Call,
    nowS: number,
    busy: Set<number>,
  ) {
    const there = (nowS - askedS) / travelS
    const back = (answeredS - nowS) / travelS
    if (there < 1) this.#head(context, way, there, 'line-1')
    else if (back < 1) this.#head(context, way, back, 'line-2')
    else busy.add(to)
  }

  #begin(): CanvasRenderingContext2D {
    const context = this.canvas.getContext('2d') as CanvasRenderingContext2D
    context.globalAlpha = 1
    context.fillStyle = colour('sea')
    context.fillRect(0, 0, this.#width, this.#height)
    context.strokeStyle = colour('grid')
    context.lineWidth = 1
    context.beginPath()
    for (let i = 1; i < 12; i++) this.#segment(context, { x: i / 12, y: 0 }, { x: i / 12, y: 1 })
    for (let i = 1; i < 6; i++) this.#segment(context, { x: 0, y: i / 6 }, { x: 1, y: i / 6 })
    context.stroke()
    return context
  }

  #segment(context: CanvasRenderingContext2D, from: Point, to: Point): void {
    context.moveTo(from.x * this.#width, from.y * this.#height)
    context.lineTo(to.x * this.#width, to.y * this.#height)
  }

  #arc(context: CanvasRenderingContext2D, { way }: Call, alpha: number): void {
    context.globalAlpha = alpha
    context.strokeStyle = colour('line-1')
    context.lineWidth = 1.25
    context.beginPath()
    for (const [i, point] of way.entries()) {
      const before = way[i - 1]
      if (!before) continue
      // Over the edge of the map, and in again on the other side.
      const turn = Math.round(before.x - point.x)
      this.#segment(context, before, { x: point.x + turn, y: point.y })
      if (turn !== 0) this.#segment(context, { x: before.x - turn, y: before.y }, point)
    }
    context.stroke()
  }

  #head(context: CanvasRenderingContext2D, way: readonly Point[], share: number, name: string): void {
    const point = way[Math.round(share * (way.length - 1))] as Point
    context.globalAlpha = 1
    context.fillStyle = colour(name)
    context.beginPath()
    context.arc(point.x * this.#width, point.y * this.#height, 3.5, 0, 2 * Math.PI)
    context.fill()
  }

  #peers(context: CanvasRenderingContext2D, busy: ReadonlySet<number>): void {
    const radius = this.#points.length > 300 ? 1.5 : 4
    context.globalAlpha = 1
    for (const [i, point] of this.#points.entries()) {
      const [x, y] = [point.x * this.#width, point.y * this.#height]
      context.fillStyle = colour(this.#asks[i] === 1 ? 'line-1' : 'peer')
      context.beginPath()
      context.arc(x, y, radius, 0, 2 * Math.PI)
      context.fill()
      if (!busy.has(i)) continue
      context.strokeStyle = colour('line-2')
      context.lineWidth = 2
      context.beginPath()
      context.arc(x, y, radius + 4, 0, 2 * Math.PI)
      context.stroke()
    }
  }
}

const legend = ({ asks, others, between, answer }: Mapped['legend'], pace: number): HTMLElement => {
  const mark = (kind: string, words: string) => element('li', { class: kind }, [words])
  const times = `${Number(Math.max(pace, 1 / pace).toPrecision(2))} times`
  const speed = pace === 1 ? 'at its own pace' : `${pace < 1 ? 'slowed down' : 'sped up'} ${times}`
  return element('ul', { class: 'legend' }, [
    mark('asks', asks),
    mark('lends', others),
    mark('computes', between),
    mark('answer', answer),
    element('li', {}, [speed]),
  ])
}

export const drawMap = (box: HTMLElement, mapped: Mapped, tables: Pictures['tables']): void => {
  const map = new WorldMap(tables[mapped.peers] as Table, tables[mapped.calls] as Table)
  map.canvas.setAttribute('role', 'img')
  map.canvas.setAttribute('aria-label', 'A map of the world with the peers, and the calls between them')
  const pause = element('button', { type: 'button' }, ['Pause']) as HTMLButtonElement
  box.append(map.canvas, element('div', { class: 'under' }, [legend(mapped.legend, map.pace), pause]))
  const calm = matchMedia('(prefers-reduced-motion: reduce)')
  let isPaused = calm.matches
  let [sinceS, lastMs] = [2, performance.now()]
  const look = () => {
    pause.textContent = isPaused ? 'Play' : 'Pause'
    if (isPaused && calm.matches && sinceS === 2) map.still()
    else map.at(sinceS)
  }
  whenLooksChange(map.canvas, () => {
    map.resize(map.canvas.clientWidth)
    look()
  })
  const frame = (nowMs: number) => {
    if (isPaused) return
    sinceS += (nowMs - lastMs) / 1000
    lastMs = nowMs
    look()
    requestAnimationFrame(frame)
  }
  const play = () => {
    lastMs = performance.now()
    requestAnimationFrame(frame)
  }
  pause.addEventListener('click', () => {
    isPaused = !isPaused
    look()
    if (!isPaused) play()
  })
  if (!isPaused) play()
}
