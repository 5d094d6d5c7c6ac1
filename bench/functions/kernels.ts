/** Six kernels that compute, as one writes them in JavaScript: the same as kernels.as.ts. */

const fibonacci = (n: number): number => (n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2))
export const fib = (n: number): number => fibonacci(n)

class Planet {
  x: number
  y: number
  z: number
  vx: number
  vy: number
  vz: number
  mass: number
  constructor(x: number, y: number, z: number, vx: number, vy: number, vz: number, mass: number) {
    this.x = x
    this.y = y
    this.z = z
    this.vx = vx
    this.vy = vy
    this.vz = vz
    this.mass = mass
  }
}

// biome-ignore format: one planet a line.
const planets = (): Planet[] => [
  new Planet(0, 0, 0, 0, 0, 0, 39.47841760435743),
  new Planet(4.841431442464721, -1.1603200440274284, -0.10362204447112311, 0.606326392995832, 2.81198684491626, -0.02521836165988763, 0.03769367487038949),
  new Planet(8.34336671824458, 4.124798564124305, -0.4035234171143214, -1.0107743461787924, 1.8256623712304119, 0.008415761376584154, 0.011286326131968767),
  new Planet(12.894369562139131, -15.111151401698631, -0.22330757889265573, 1.0827910064415354, 0.8687130181696082, -0.010832637401363636, 0.0017237240570597112),
  new Planet(15.379697114850917, -25.919314609987964, 0.17925877295037118, 0.979090732243898, 0.5946989986476762, -0.03475595555040781, 0.0020336868699246304),
]

export const nbody = (n: number): number => {
  const bodies = planets()
  for (let step = 0; step < n; step++) {
    for (let i = 0; i < 5; i++) {
      const a = bodies[i]!
      for (let j = i + 1; j < 5; j++) {
        const b = bodies[j]!
        const dx = a.x - b.x
        const dy = a.y - b.y
        const dz = a.z - b.z
        const square = dx * dx + dy * dy + dz * dz
        const pull = 0.01 / (square * Math.sqrt(square))
        a.vx -= dx * b.mass * pull
        a.vy -= dy * b.mass * pull
        a.vz -= dz * b.mass * pull
        b.vx += dx * a.mass * pull
        b.vy += dy * a.mass * pull
        b.vz += dz * a.mass * pull
      }
    }
    for (const body of bodies) {
      body.x += 0.01 * body.vx
      body.y += 0.01 * body.vy
      body.z += 0.01 * body.vz
    }
  }
  return bodies[0]!.x
}

const cell = (i: number, j: number): number => 1 / ((((i + j) * (i + j + 1)) >> 1) + i + 1)

const multiply = (n: number, from: Float64Array, to: Float64Array, transposed: boolean): void => {
  for (let i = 0; i < n; i++) {
    let sum = 0
    for (let j = 0; j < n; j++) sum += (transposed ? cell(j, i) : cell(i, j)) * from[j]!
    to[i] = sum
  }
}

export const spectral = (n: number): number => {
  const [u, v, t] = [new Float64Array(n).fill(1), new Float64Array(n), new Float64Array(n)]
  for (let i = 0; i < 10; i++) {
    multiply(n, u, t, false)
    multiply(n, t, v, true)
    multiply(n, v, t, false)
    multiply(n, t, u, true)
  }
  let uv = 0
  let vv = 0
  for (let i = 0; i < n; i++) {
    uv += u[i]! * v[i]!
    vv += v[i]! * v[i]!
  }
  return Math.sqrt(uv / vv)
}

export const mandel = (n: number): number => {
  let count = 0
  for (let y = 0; y < n; y++) {
    for (let x = 0; x < n; x++) {
      const cr = (2 * x) / n - 1.5
      const ci = (2 * y) / n - 1
      let zr = 0
      let zi = 0
      let i = 0
      for (; i < 50 && zr * zr + zi * zi < 4; i++) {
        const next = zr * zr - zi * zi + cr
        zi = 2 * zr * zi + ci
        zr = next
      }
      count += i
    }
  }
  return count
}

/** Below 2^32 for every start up to 100,000, so that integers of 32 bits will do. */
export const collatz = (n: number): number => {
  let best = 0
  for (let i = 1; i < n; i++) {
    let x = i
    let steps = 0
    while (x !== 1) {
      x = x & 1 ? 3 * x + 1 : x >>> 1
      steps++
    }
    if (steps > best) best = steps
  }
  return best
}

// biome-ignore format: a table.
const K = Uint32Array.of(
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01,
  0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
  0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
  0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08,
  0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
  0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
)

const rotr = (x: number, by: number): number => (x >>> by) | (x << (32 - by))

const block = (h: Int32Array, w: Int32Array, bytes: DataView, at: number): void => {
  for (let i = 0; i < 16; i++) w[i] = bytes.getInt32(at + 4 * i)
  for (let i = 16; i < 64; i++) {
    const p = w[i - 15]!
    const q = w[i - 2]!
    const s0 = rotr(p, 7) ^ rotr(p, 18) ^ (p >>> 3)
    const s1 = rotr(q, 17) ^ rotr(q, 19) ^ (q >>> 10)
    w[i] = (w[i - 16]! + s0 + w[i - 7]! + s1) | 0
  }
  let [a, b, c, d, e, f, g, x] = [h[0]!, h[1]!, h[2]!, h[3]!, h[4]!, h[5]!, h[6]!, h[7]!]
  for (let i = 0; i < 64; i++) {
    const t1 = (x + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) + ((e & f) ^ (~e & g)) + K[i]! + w[i]!) | 0
    const t2 = ((rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0
    x = g
    g = f
    f = e
    e = (d + t1) | 0
    d = c
    c = b
    b = a
    a = (t1 + t2) | 0
  }
  h[0] = (h[0]! + a) | 0
  h[1] = (h[1]! + b) | 0
  h[2] = (h[2]! + c) | 0
  h[3] = (h[3]! + d) | 0
  h[4] = (h[4]! + e) | 0
  h[5] = (h[5]! + f) | 0
  h[6] = (h[6]! + g) | 0
  h[7] = (h[7]! + x) | 0
}

/** The first word of SHA-256's state after `n` kB. */
export const sha = (n: number): number => {
  const h = Int32Array.of(
    ...[0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19],
  )
  const w = new Int32Array(64)
  const bytes = new DataView(Uint8Array.from({ length: 1024 }, (_, i) => i * 7).buffer)
  for (let k = 0; k < n; k++) for (let at = 0; at < 1024; at += 64) block(h, w, bytes, at)
  return h[0]! >>> 0
}

export const KERNELS: Record<string, (n: number) => number> = { fib, nbody, spectral, mandel, collatz, sha }

export default ({ kernel, size }: { kernel: string; size: number }): number => KERNELS[kernel]!(size)
