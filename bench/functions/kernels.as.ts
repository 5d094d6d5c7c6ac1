// The kernels of kernels.c in AssemblyScript.

function fibonacci(n: i32): i32 {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2)
}
export function fib(n: i32): f64 {
  return fibonacci(n)
}

class Planet {
  constructor(
    public x: f64,
    public y: f64,
    public z: f64,
    public vx: f64,
    public vy: f64,
    public vz: f64,
    public mass: f64,
  ) {}
}

export function nbody(n: i32): f64 {
  const bodies: Planet[] = [
    new Planet(0, 0, 0, 0, 0, 0, 39.47841760435743),
    new Planet(
      4.841431442464721,
      -1.1603200440274284,
      -0.10362204447112311,
      0.606326392995832,
      2.81198684491626,
      -0.02521836165988763,
      0.03769367487038949,
    ),
    new Planet(
      8.34336671824458,
      4.124798564124305,
      -0.4035234171143214,
      -1.0107743461787924,
      1.8256623712304119,
      0.00841576137658415,
      0.01128632613196877,
    ),
    new Planet(
      12.894369562139131,
      -15.111151401698631,
      -0.22330757889265573,
      1.0827910064415354,
      0.8687130181696082,
      -0.0108326374013636,
      0.00172372405705971,
    ),
    new Planet(
      15.379697114850917,
      -25.919314609987964,
      0.17925877295037118,
      0.979090732243898,
      0.594698998647676,
      -0.0347559555504078,
      0.00203368686992463,
    ),
  ]
  for (let step = 0; step < n; step++) {
    for (let i = 0; i < 5; i++) {
      const a = unchecked(bodies[i])
      for (let j = i + 1; j < 5; j++) {
        const b = unchecked(bodies[j])
        const dx = a.x - b.x,
          dy = a.y - b.y,
          dz = a.z - b.z
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
    for (let i = 0; i < 5; i++) {
      const a = unchecked(bodies[i])
      a.x += 0.01 * a.vx
      a.y += 0.01 * a.vy
      a.z += 0.01 * a.vz
    }
  }
  return unchecked(bodies[0]).x
}

function cell(i: i32, j: i32): f64 {
  return 1.0 / <f64>((((i + j) * (i + j + 1)) >> 1) + i + 1)
}

function multiply(n: i32, from: Float64Array, to: Float64Array, transposed: bool): void {
  for (let i = 0; i < n; i++) {
    let sum: f64 = 0
    for (let j = 0; j < n; j++) sum += (transposed ? cell(j, i) : cell(i, j)) * unchecked(from[j])
    unchecked((to[i] = sum))
  }
}

export function spectral(n: i32): f64 {
  const u = new Float64Array(n),
    v = new Float64Array(n),
    t = new Float64Array(n)
  u.fill(1)
  for (let i = 0; i < 10; i++) {
    multiply(n, u, t, false)
    multiply(n, t, v, true)
    multiply(n, v, t, false)
    multiply(n, t, u, true)
  }
  let uv: f64 = 0,
    vv: f64 = 0
  for (let i = 0; i < n; i++) {
    uv += unchecked(u[i]) * unchecked(v[i])
    vv += unchecked(v[i]) * unchecked(v[i])
  }
  return Math.sqrt(uv / vv)
}

export function mandel(n: i32): f64 {
  let count = 0
  for (let y = 0; y < n; y++) {
    for (let x = 0; x < n; x++) {
      const cr = (2.0 * x) / n - 1.5,
        ci = (2.0 * y) / n - 1
      let zr: f64 = 0,
        zi: f64 = 0,
        i = 0
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

export function collatz(n: i32): f64 {
  let best = 0
  for (let i = 1; i < n; i++) {
    let x: u64 = i,
      steps = 0
    while (x !== 1) {
      x = x & 1 ? 3 * x + 1 : x >> 1
      steps++
    }
    if (steps > best) best = steps
  }
  return best
}

const K: StaticArray<u32> = [
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
  0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
  0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
  0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
  0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
  0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
  0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
  0xc67178f2,
]

function block(h: StaticArray<u32>, w: StaticArray<u32>, bytes: StaticArray<u8>, at: i32): void {
  for (let i = 0; i < 16; i++) unchecked((w[i] = bswap(load<u32>(changetype<usize>(bytes) + at + 4 * i))))
  for (let i = 16; i < 64; i++) {
    const p = unchecked(w[i - 15]),
      q = unchecked(w[i - 2])
    const s0 = rotr(p, 7) ^ rotr(p, 18) ^ (p >> 3),
      s1 = rotr(q, 17) ^ rotr(q, 19) ^ (q >> 10)
    unchecked((w[i] = w[i - 16] + s0 + w[i - 7] + s1))
  }
  let a = unchecked(h[0]),
    b = unchecked(h[1]),
    c = unchecked(h[2]),
    d = unchecked(h[3])
  let e = unchecked(h[4]),
    f = unchecked(h[5]),
    g = unchecked(h[6]),
    x = unchecked(h[7])
  for (let i = 0; i < 64; i++) {
    const t1 = x + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) + ((e & f) ^ (~e & g)) + unchecked(K[i]) + unchecked(w[i])
    const t2 = (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))
    x = g
    g = f
    f = e
    e = d + t1
    d = c
    c = b
    b = a
    a = t1 + t2
  }
  unchecked((h[0] += a))
  unchecked((h[1] += b))
  unchecked((h[2] += c))
  unchecked((h[3] += d))
  unchecked((h[4] += e))
  unchecked((h[5] += f))
  unchecked((h[6] += g))
  unchecked((h[7] += x))
}

export function sha(n: i32): f64 {
  const h: StaticArray<u32> = [
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
  ]
  const w = new StaticArray<u32>(64),
    bytes = new StaticArray<u8>(1024)
  for (let i = 0; i < 1024; i++) unchecked((bytes[i] = <u8>(i * 7)))
  for (let k = 0; k < n; k++) for (let at = 0; at < 1024; at += 64) block(h, w, bytes, at)
  return unchecked(h[0])
}
