/** The mark of the control as an icon, with room around it for what a phone cuts off: as SVG, and as PNG for iOS, which takes no other. */
import { crc32, deflateSync } from 'node:zlib'

type Point = readonly [x: number, y: number]

/** In units of the drawing: a line from one dot to the other, as a cubic Bézier curve, in the middle of a square. */
const CURVE: readonly [Point, Point, Point, Point] = [
  [4, 16],
  [4, 8],
  [16, 12],
  [16, 4],
]
const DOTS = [CURVE[0], CURVE[3]]
const DOT_RADIUS = 2.5
const LINE_WIDTH = 2
const FIRST = -10
const SIDE = 40
const GROUND = [255, 255, 255]
const INK = [0x14, 0x66, 0x5a]

const colour = (rgb: readonly number[]) => `#${rgb.map((byte) => byte.toString(16).padStart(2, '0')).join('')}`

const [from, a, b, to] = CURVE
export const ICON_SVG = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${FIRST} ${FIRST} ${SIDE} ${SIDE}" width="512" height="512">
<path d="M${FIRST} ${FIRST}h${SIDE}v${SIDE}h-${SIDE}z" fill="${colour(GROUND)}"/>
<path d="M${from}C${[a, b, to].join(' ')}" fill="none" stroke="${colour(INK)}" stroke-width="${LINE_WIDTH}"/>
${DOTS.map(([x, y]) => `<circle cx="${x}" cy="${y}" r="${DOT_RADIUS}" fill="${colour(INK)}"/>`).join('')}</svg>
`

/** Straight pieces that the curve is taken for: none is further from it than a twentieth of a unit. */
const PIECES = 16
/** So wide is the rim of its own square that the mark leaves free, at least. */
const FREE = 1

const pointAt = (t: number): Point => {
  const s = 1 - t
  const along = (axis: 0 | 1) =>
    s ** 3 * from[axis] + 3 * s * s * t * a[axis] + 3 * s * t * t * b[axis] + t ** 3 * to[axis]
  return [along(0), along(1)]
}
const LINE = Array.from({ length: PIECES + 1 }, (_, i) => pointAt(i / PIECES))

const distanceToPiece = ([x, y]: Point, [x0, y0]: Point, [x1, y1]: Point): number => {
  const [dx, dy] = [x1 - x0, y1 - y0]
  const t = Math.min(1, Math.max(0, ((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy)))
  return Math.hypot(x - x0 - t * dx, y - y0 - t * dy)
}

/** How far a point is from the mark; below 0 within it. */
const outside = (point: Point): number => {
  if (point.some((x) => x < FREE || x > SIDE + 2 * FIRST - FREE)) return FREE
  const dots = DOTS.map(([x, y]) => Math.hypot(point[0] - x, point[1] - y) - DOT_RADIUS)
  const pieces = LINE.slice(1).map((end, i) => distanceToPiece(point, LINE[i] as Point, end) - LINE_WIDTH / 2)
  return Math.min(...dots, ...pieces)
}

const chunk = (type: string, data: Uint8Array): Buffer => {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  sum.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, sum])
}

/** `side` pixels square, as PNG (its third edition, 5.2 and 11.2): 8 bits each of red, green and blue. */
export const iconPng = (side: number): Uint8Array => {
  const scale = SIDE / side
  const rows = Array.from({ length: side }, (_, row) => {
    const line = Buffer.alloc(1 + 3 * side)
    for (let column = 0; column < side; column++) {
      const far = outside([FIRST + (column + 0.5) * scale, FIRST + (row + 0.5) * scale])
      // An edge goes through a pixel as it goes past the middle of it.
      const ink = Math.min(1, Math.max(0, 0.5 - far / scale))
      for (let i = 0; i < 3; i++)
        line[1 + 3 * column + i] = Math.round((GROUND[i] as number) * (1 - ink) + (INK[i] as number) * ink)
    }
    return line
  })
  const head = Buffer.alloc(13)
  head.writeUInt32BE(side, 0)
  head.writeUInt32BE(side, 4)
  head.set([8, 2, 0, 0, 0], 8)
  const magic = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10])
  return Buffer.concat([
    magic,
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(Buffer.concat(rows))),
    chunk('IEND', Buffer.alloc(0)),
  ])
}
