// The spheres of scene.ts in AssemblyScript: by number, the mirror ball first.
import { B, colour, G, R } from './colour.as.ts'
import { random, seed } from './generator.as.ts'

export const SPHERES = 111
export const METAL: f64 = 0.3
export const X = new StaticArray<f64>(SPHERES)
export const Y = new StaticArray<f64>(SPHERES)
export const Z = new StaticArray<f64>(SPHERES)
export const RADIUS = new StaticArray<f64>(SPHERES)
export const SQUARE = new StaticArray<f64>(SPHERES)
export const RED = new StaticArray<f64>(SPHERES)
export const GREEN = new StaticArray<f64>(SPHERES)
export const BLUE = new StaticArray<f64>(SPHERES)
export const MIRROR = new StaticArray<f64>(SPHERES)

const PALETTE: StaticArray<f64> = [
  0.97, 0.6, 0.1, 0.91, 0.28, 0.08, 0.77, 0.1, 0.12, 0.45, 0.04, 0.19, 0.14, 0.05, 0.28, 0.03, 0.1, 0.31, 0.01, 0.25,
  0.33, 0.18, 0.52, 0.4,
]

function put(i: i32, x: f64, z: f64, radius: f64, mirror: f64): void {
  unchecked((X[i] = x))
  unchecked((Y[i] = radius))
  unchecked((Z[i] = z))
  unchecked((RADIUS[i] = radius))
  unchecked((SQUARE[i] = radius * radius))
  unchecked((RED[i] = R))
  unchecked((GREEN[i] = G))
  unchecked((BLUE[i] = B))
  unchecked((MIRROR[i] = mirror))
}

function paint(at: f64): void {
  const place = at * 7
  const index = <i32>Math.min(Math.floor(place), 6)
  const from = 3 * index
  const share = place - <f64>index
  colour(
    PALETTE[from] + (PALETTE[from + 3] - PALETTE[from]) * share,
    PALETTE[from + 1] + (PALETTE[from + 4] - PALETTE[from + 1]) * share,
    PALETTE[from + 2] + (PALETTE[from + 5] - PALETTE[from + 2]) * share,
  )
}

function marbles(): void {
  seed(314, 0)
  let cos: f64 = 1
  let sin: f64 = 0
  for (let n = 0; n < SPHERES - 1; n++) {
    const next = cos * -0.7373688780783197 - sin * 0.6754902942615238
    sin = cos * 0.6754902942615238 + sin * -0.7373688780783197
    cos = next
    const distance = 0.43 * Math.sqrt(<f64>n + 8.5)
    const radius = (0.1 + 0.028 * distance) * (0.72 + 0.56 * random())
    paint(<f64>n / 109)
    const finish = random()
    put(n + 1, cos * distance, sin * distance, radius, finish < 0.55 ? 0.045 : finish < 0.8 ? 0 : 0.55)
  }
}

colour(0.97, 0.95, 0.93)
put(0, 0, 0, 1.05, 0.85)
marbles()
