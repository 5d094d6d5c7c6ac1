// The ray tracer of tile.ts in AssemblyScript, for an eye anywhere: a strip of a frame, one ray a pixel.
// The same numbers in the same order: where tile.ts looks once at a pixel, both see the same bytes.

// The last colour that was found.
let R: f64 = 0
let G: f64 = 0
let B: f64 = 0

// @ts-ignore: decorators are AssemblyScript's
@inline function colour(r: f64, g: f64, b: f64): void {
  R = r
  G = g
  B = b
}

// generator.ts

let state: i32 = 0

function seed(x: i32, y: i32): void {
  state = (x * 73856093) ^ (y * 19349663)
}

function random(): f64 {
  state = state + 0x9e3779b9
  let mixed: i32 = (state ^ <i32>(<u32>state >> 16)) * 0x85ebca6b
  mixed = (mixed ^ <i32>(<u32>mixed >> 13)) * 0xc2b2ae35
  return <f64>(<u32>(mixed ^ <i32>(<u32>mixed >> 16))) / 4294967296.0
}

// scene.ts

const SPHERES = 111
const METAL: f64 = 0.3
const X = new StaticArray<f64>(SPHERES)
const Y = new StaticArray<f64>(SPHERES)
const Z = new StaticArray<f64>(SPHERES)
const RADIUS = new StaticArray<f64>(SPHERES)
const SQUARE = new StaticArray<f64>(SPHERES)
const RED = new StaticArray<f64>(SPHERES)
const GREEN = new StaticArray<f64>(SPHERES)
const BLUE = new StaticArray<f64>(SPHERES)
const MIRROR = new StaticArray<f64>(SPHERES)

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

const LAMP_X: f64 = -7.5
const LAMP_Y: f64 = 6.2
const LAMP_Z: f64 = -3.2
const LAMP_HALF: f64 = 1.1
const LAMP_R: f64 = 4.2
const LAMP_G: f64 = 3.3
const LAMP_B: f64 = 2.4
const LAMP_RADIUS: f64 = LAMP_HALF * 1.4142135623730951
const LAMP_AWAY = Math.sqrt(LAMP_X * LAMP_X + LAMP_Y * LAMP_Y + LAMP_Z * LAMP_Z)
const LAMP_FLAT = Math.sqrt(LAMP_X * LAMP_X + LAMP_Z * LAMP_Z)
const UX = LAMP_Z / LAMP_FLAT
const UZ = -LAMP_X / LAMP_FLAT
const VX = (-LAMP_Y * LAMP_X) / (LAMP_FLAT * LAMP_AWAY)
const VY = LAMP_FLAT / LAMP_AWAY
const VZ = (-LAMP_Y * LAMP_Z) / (LAMP_FLAT * LAMP_AWAY)

// tree.ts: nodes in the order of a walk, where to go on when a ray misses one, and the sphere of a leaf or -1

const NODES_MAX = 4 * SPHERES
const NX = new StaticArray<f64>(NODES_MAX)
const NY = new StaticArray<f64>(NODES_MAX)
const NZ = new StaticArray<f64>(NODES_MAX)
const NRADIUS = new StaticArray<f64>(NODES_MAX)
const NSQUARE = new StaticArray<f64>(NODES_MAX)
const NSPHERE = new StaticArray<i32>(NODES_MAX)
const NSKIP = new StaticArray<i32>(NODES_MAX)
const ORDER = new StaticArray<i32>(SPHERES)
let nodes = 0

function node(x: f64, y: f64, z: f64, radius: f64, sphere: i32): i32 {
  NX[nodes] = x
  NY[nodes] = y
  NZ[nodes] = z
  NRADIUS[nodes] = radius
  NSQUARE[nodes] = radius * radius
  NSPHERE[nodes] = sphere
  NSKIP[nodes] = nodes + 1
  return nodes++
}

function sortBy(axis: StaticArray<f64>, from: i32, to: i32): void {
  for (let i = from + 1; i < to; i++) {
    const one = ORDER[i]
    let at = i
    for (; at > from && axis[ORDER[at - 1]] > axis[one]; at--) ORDER[at] = ORDER[at - 1]
    ORDER[at] = one
  }
}

function low(axis: StaticArray<f64>, from: i32, to: i32, radii: f64): f64 {
  let found = Infinity
  for (let i = from; i < to; i++) found = Math.min(found, axis[ORDER[i]] - radii * RADIUS[ORDER[i]])
  return found
}

function high(axis: StaticArray<f64>, from: i32, to: i32, radii: f64): f64 {
  let found = -Infinity
  for (let i = from; i < to; i++) found = Math.max(found, axis[ORDER[i]] + radii * RADIUS[ORDER[i]])
  return found
}

function plant(from: i32, to: i32): void {
  const x = (low(X, from, to, 1) + high(X, from, to, 1)) / 2
  const y = (low(Y, from, to, 1) + high(Y, from, to, 1)) / 2
  const z = (low(Z, from, to, 1) + high(Z, from, to, 1)) / 2
  let radius: f64 = 0
  for (let i = from; i < to; i++) {
    const s = ORDER[i]
    const away = Math.sqrt((X[s] - x) * (X[s] - x) + (Y[s] - y) * (Y[s] - y) + (Z[s] - z) * (Z[s] - z))
    radius = Math.max(radius, away + RADIUS[s])
  }
  const here = node(x, y, z, radius, -1)
  if (to - from <= 4) {
    for (let i = from; i < to; i++) node(X[ORDER[i]], Y[ORDER[i]], Z[ORDER[i]], RADIUS[ORDER[i]], ORDER[i])
  } else {
    const byX = high(X, from, to, 0) - low(X, from, to, 0) > high(Z, from, to, 0) - low(Z, from, to, 0)
    sortBy(byX ? X : Z, from, to)
    const middle = (from + to) >> 1
    plant(from, middle)
    plant(middle, to)
  }
  NSKIP[here] = nodes
}

for (let i = 0; i < SPHERES; i++) ORDER[i] = i
plant(0, SPHERES)

let reached: f64 = 0

function nearest(ox: f64, oy: f64, oz: f64, dx: f64, dy: f64, dz: f64, limit: f64): i32 {
  let found = -1
  reached = limit
  for (let i = 0; i < nodes; ) {
    const x = unchecked(NX[i]) - ox
    const y = unchecked(NY[i]) - oy
    const z = unchecked(NZ[i]) - oz
    const along = x * dx + y * dy + z * dz
    const apart = x * x + y * y + z * z - unchecked(NSQUARE[i])
    const half = along * along - apart
    if (half <= 0 || (along < 0 && apart > 0) || along - unchecked(NRADIUS[i]) > reached) {
      i = unchecked(NSKIP[i])
      continue
    }
    const sphere = unchecked(NSPHERE[i])
    i++
    if (sphere < 0) continue
    const distance = along - Math.sqrt(half)
    if (distance > 0 && distance < reached) {
      reached = distance
      found = sphere
    }
  }
  return found
}

function distanceTo(s: i32, ox: f64, oy: f64, oz: f64, dx: f64, dy: f64, dz: f64): f64 {
  const x = unchecked(X[s]) - ox
  const y = unchecked(Y[s]) - oy
  const z = unchecked(Z[s]) - oz
  const along = x * dx + y * dy + z * dz
  const half = along * along - (x * x + y * y + z * z - unchecked(SQUARE[s]))
  return half > 0 ? along - Math.sqrt(half) : along
}

// shadow.ts: lists of spheres, one after another in a pool; of a place its first and its length

const POOL = new StaticArray<u8>(1 << 20)
let pooled = 0
const FAR_CELLS = 20
const CELLS = 2 * FAR_CELLS + 1
const PLACES = SPHERES + CELLS * CELLS
const SHADING = new StaticArray<i32>(PLACES)
const SHADINGS = new StaticArray<i32>(PLACES)
const CLOSE = new StaticArray<i32>(PLACES)
const CLOSES = new StaticArray<i32>(PLACES)
const SURVEYED = new StaticArray<bool>(PLACES)
const SLACK: f64 = 1.04
const CELL: f64 = 0.5
const CELL_RADIUS: f64 = CELL * 0.7071067811865476

function shades(s: i32, px: f64, py: f64, pz: f64, pr: f64): bool {
  const lx = LAMP_X - px
  const ly = LAMP_Y - py
  const lz = LAMP_Z - pz
  const x = unchecked(X[s]) - px
  const y = unchecked(Y[s]) - py
  const z = unchecked(Z[s]) - pz
  const along = (x * lx + y * ly + z * lz) / (lx * lx + ly * ly + lz * lz)
  const at: f64 = along < 0 ? 0 : along > 1 ? 1 : along
  const dx = x - lx * at
  const dy = y - ly * at
  const dz = z - lz * at
  const width = SLACK * (unchecked(RADIUS[s]) + pr + (LAMP_RADIUS - pr) * at)
  return dx * dx + dy * dy + dz * dz < width * width
}

function survey(place: i32, px: f64, py: f64, pz: f64, pr: f64): void {
  if (unchecked(SURVEYED[place])) return
  unchecked((SURVEYED[place] = true))
  unchecked((SHADING[place] = pooled))
  for (let s = 0; s < SPHERES; s++) if (s != place && shades(s, px, py, pz, pr)) POOL[pooled++] = <u8>s
  unchecked((SHADINGS[place] = pooled - SHADING[place]))
  unchecked((CLOSE[place] = pooled))
  for (let s = 0; s < SPHERES; s++) {
    if (s == place) continue
    const x = unchecked(X[s]) - px
    const y = unchecked(Y[s]) - py
    const z = unchecked(Z[s]) - pz
    const reach = unchecked(RADIUS[s]) * 4 + pr
    if (x * x + y * y + z * z < reach * reach) POOL[pooled++] = <u8>s
  }
  unchecked((CLOSES[place] = pooled - CLOSE[place]))
}

// The place of the floor's cell there; -1 far away, where nothing is.
function floorPlace(x: f64, z: f64): i32 {
  const column = <i32>Math.floor(x / CELL)
  const row = <i32>Math.floor(z / CELL)
  if (x * x + z * z > 1e6 || column * column + row * row > FAR_CELLS * FAR_CELLS) return -1
  const place = SPHERES + (column + FAR_CELLS) * CELLS + row + FAR_CELLS
  survey(place, (<f64>column + 0.5) * CELL, 0, (<f64>row + 0.5) * CELL, CELL_RADIUS)
  return place
}

const RAYS = 32
const PLACE_U = new StaticArray<f64>(RAYS)
const PLACE_V = new StaticArray<f64>(RAYS)

function halves(i: i32): f64 {
  return i == 0 ? 0 : (<f64>(i & 1) + halves(i >> 1)) / 2
}
for (let i = 0; i < RAYS; i++) {
  PLACE_U[i] = <f64>i / <f64>RAYS
  PLACE_V[i] = halves(i)
}

const ALONG = new StaticArray<f64>(SPHERES)
const ALONG_U = new StaticArray<f64>(SPHERES)
const ALONG_V = new StaticArray<f64>(SPHERES)
const OUTLINE = new StaticArray<f64>(SPHERES)

function lampSeen(x: f64, y: f64, z: f64, place: i32): f64 {
  const lx = LAMP_X - x
  const ly = LAMP_Y - y
  const lz = LAMP_Z - z
  const square = lx * lx + ly * ly + lz * lz
  let partly = 0
  const from = unchecked(SHADING[place])
  const to = from + unchecked(SHADINGS[place])
  for (let i = from; i < to; i++) {
    const s = <i32>unchecked(POOL[i])
    const sx = unchecked(X[s]) - x
    const sy = unchecked(Y[s]) - y
    const sz = unchecked(Z[s]) - z
    const along = sx * lx + sy * ly + sz * lz
    if (along <= 0) continue
    const away = sx * sx + sy * sy + sz * sz
    const apart = away - (along * along) / square
    const lampWidth = (LAMP_RADIUS * along) / square
    const outer = unchecked(RADIUS[s]) * SLACK + lampWidth
    if (apart >= outer * outer) continue
    const inner = unchecked(RADIUS[s]) - lampWidth
    if (inner > 0 && apart < inner * inner) return 0
    unchecked((ALONG[partly] = along))
    unchecked((ALONG_U[partly] = sx * UX + sz * UZ))
    unchecked((ALONG_V[partly] = sx * VX + sy * VY + sz * VZ))
    unchecked((OUTLINE[partly] = away - SQUARE[s]))
    partly++
  }
  if (partly == 0) return 1
  return shareOfRays(partly, square, lx * UX + lz * UZ, lx * VX + ly * VY + lz * VZ)
}

function shareOfRays(partly: i32, square: f64, u: f64, v: f64): f64 {
  const shiftU = random()
  const shiftV = random()
  let free = 0
  for (let i = 0; i < RAYS; i++) {
    const placeU = unchecked(PLACE_U[i]) + shiftU
    const placeV = unchecked(PLACE_V[i]) + shiftV
    const byU = ((placeU >= 1 ? placeU - 1 : placeU) - 0.5) * 2 * LAMP_HALF
    const byV = ((placeV >= 1 ? placeV - 1 : placeV) - 0.5) * 2 * LAMP_HALF
    const ray = square + byU * byU + byV * byV + 2 * (byU * u + byV * v)
    if (!isBlocked(partly, ray, byU, byV)) free++
  }
  return <f64>free / <f64>RAYS
}

function isBlocked(partly: i32, ray: f64, byU: f64, byV: f64): bool {
  for (let i = 0; i < partly; i++) {
    const along = unchecked(ALONG[i]) + unchecked(ALONG_U[i]) * byU + unchecked(ALONG_V[i]) * byV
    if (along > 0 && along * along > ray * unchecked(OUTLINE[i])) return true
  }
  return false
}

function skySeen(x: f64, y: f64, z: f64, nx: f64, ny: f64, nz: f64, place: i32): f64 {
  let seen: f64 = 1
  const from = unchecked(CLOSE[place])
  const to = from + unchecked(CLOSES[place])
  for (let i = from; i < to; i++) {
    const s = <i32>unchecked(POOL[i])
    const sx = unchecked(X[s]) - x
    const sy = unchecked(Y[s]) - y
    const sz = unchecked(Z[s]) - z
    const facing = sx * nx + sy * ny + sz * nz
    if (facing <= 0) continue
    const square = sx * sx + sy * sy + sz * sz
    const hidden = (facing * unchecked(SQUARE[s])) / (square * Math.sqrt(square))
    seen *= hidden < 1 ? 1 - hidden : 0
  }
  return seen
}

// sky.ts

function glow(dx: f64, dy: f64, dz: f64): f64 {
  const towards = (dx * LAMP_X + dy * LAMP_Y + dz * LAMP_Z) / LAMP_AWAY
  if (towards <= 0) return 0
  const fourth = towards * towards * towards * towards
  return fourth * fourth
}

function sky(dx: f64, dy: f64, dz: f64): void {
  const low = 1 / (1 + 3.2 * dy)
  const veil = low * low
  const horizon = veil * veil * veil
  const z = (1 - veil) * (1 - horizon)
  const v = veil * (1 - horizon)
  const g = glow(dx, dy, dz)
  colour(
    0.012 * z + 0.2 * v + 0.74 * horizon + 0.26 * g,
    0.03 * z + 0.1 * v + 0.22 * horizon + 0.15 * g,
    0.13 * z + 0.34 * v + 0.16 * horizon + 0.07 * g,
  )
}

function hazed(dx: f64, dz: f64, distance: f64): void {
  const square = distance * distance
  const haze = square / (square + 2600)
  const clear = 1 - haze
  const g = glow(dx, 0, dz)
  colour(
    R * clear + (0.74 + 0.26 * g) * haze,
    G * clear + (0.22 + 0.15 * g) * haze,
    B * clear + (0.16 + 0.07 * g) * haze,
  )
}

function developed(light: f64): u8 {
  const x = light * 0.82
  const film = (x * (2.51 * x + 0.03)) / (x * (2.43 * x + 0.59) + 0.14)
  return <u8>Math.floor(Math.sqrt(film > 1 ? 1 : film) * 255 + 0.5)
}

// surface.ts

function diffuse(r: f64, g: f64, b: f64, lit: f64, ny: f64, open: f64): void {
  const above = open * 0.5 * (1 + ny)
  const below = open * 0.5 * (1 - ny)
  colour(
    r * (LAMP_R * lit + 0.23 * above + 0.085 * below),
    g * (LAMP_G * lit + 0.23 * above + 0.068 * below),
    b * (LAMP_B * lit + 0.357 * above + 0.094 * below),
  )
}

function grazing(cos: f64): f64 {
  const x = 1 - cos
  return x * x * x * x * x
}

function highlight(hx: f64, hy: f64, hz: f64, nx: f64, ny: f64, nz: f64): f64 {
  const cos = hx * nx + hy * ny + hz * nz
  if (cos <= 0) return 0
  const second = (cos * cos) / (hx * hx + hy * hy + hz * hz)
  const eighth = second * second * second * second
  return eighth * eighth * eighth * eighth * eighth * eighth * eighth * eighth
}

// floor.ts

let pixelSide: f64 = 0

function triangle(at: f64): f64 {
  const wave = at / 2 - Math.floor(at / 2) - 0.5
  return wave < 0 ? -wave : wave
}

function meanSign(at: f64, width: f64): f64 {
  return (2 * (triangle(at - width / 2) - triangle(at + width / 2))) / width
}

function floorColour(x: f64, z: f64, distance: f64, fall: f64): void {
  const width = (pixelSide * distance) / (1.1 * (fall > 0.05 ? fall : 0.05))
  const share = 0.5 - 0.5 * meanSign(x / 1.1, width) * meanSign(z / 1.1, width)
  colour(0.032 + (0.07 - 0.032) * share, 0.036 + (0.07 - 0.036) * share, 0.07 + (0.115 - 0.07) * share)
}

// light.ts

function floorLight(ox: f64, oy: f64, oz: f64, dx: f64, dy: f64, dz: f64, followed: bool): void {
  const distance = -oy / dy
  const x = ox + dx * distance
  const z = oz + dz * distance
  const place = floorPlace(x, z)
  const open: f64 = place >= 0 && unchecked(CLOSES[place]) > 0 ? skySeen(x, 0, z, 0, 1, 0, place) : 1
  const lx = LAMP_X - x
  const lz = LAMP_Z - z
  const facing = LAMP_Y / Math.sqrt(lx * lx + LAMP_Y * LAMP_Y + lz * lz)
  const seen: f64 = place >= 0 && unchecked(SHADINGS[place]) > 0 ? lampSeen(x, 0, z, place) : 1
  floorColour(x, z, distance, -dy)
  diffuse(R, G, B, facing * seen, 1, open)
  const r = R
  const g = G
  const b = B
  const image = followed ? nearest(x, 0, z, dx, -dy, dz, Infinity) : -1
  if (image >= 0) sphereLight(x, 0, z, dx, -dy, dz, image, distanceTo(image, x, 0, z, dx, -dy, dz), false)
  else {
    sky(dx, -dy, dz)
    const by: f64 = followed ? 1 : 0.5 + 0.5 * open
    colour(R * by, G * by, B * by)
  }
  const share = 0.1 + 0.72 * grazing(-dy)
  colour(r + (R - r) * share, g + (G - g) * share, b + (B - b) * share)
  hazed(dx, dz, distance)
}

function sphereLight(
  ox: f64,
  oy: f64,
  oz: f64,
  dx: f64,
  dy: f64,
  dz: f64,
  s: i32,
  distance: f64,
  followed: bool,
): void {
  const x = ox + dx * distance
  const y = oy + dy * distance
  const z = oz + dz * distance
  const radius = unchecked(RADIUS[s])
  const nx = (x - unchecked(X[s])) / radius
  const ny = (y - unchecked(Y[s])) / radius
  const nz = (z - unchecked(Z[s])) / radius
  survey(s, unchecked(X[s]), unchecked(Y[s]), unchecked(Z[s]), radius)
  const open = skySeen(x, y, z, nx, ny, nz, s) * (1 - (0.275 * (1 - ny)) / (1 + 1.2 * y))
  const lx = LAMP_X - x
  const ly = LAMP_Y - y
  const lz = LAMP_Z - z
  const far = Math.sqrt(lx * lx + ly * ly + lz * lz)
  const facing = (nx * lx + ny * ly + nz * lz) / far
  const seen: f64 = facing > 0 ? lampSeen(x, y, z, s) : 0
  diffuse(unchecked(RED[s]), unchecked(GREEN[s]), unchecked(BLUE[s]), facing * seen, ny, open)
  const mirror = unchecked(MIRROR[s])
  if (mirror > 0) {
    const r = R
    const g = G
    const b = B
    const cos = -(dx * nx + dy * ny + dz * nz)
    const mx = dx + 2 * cos * nx
    const my = dy + 2 * cos * ny
    const mz = dz + 2 * cos * nz
    if (followed) followedLight(x, y, z, mx, my, mz, nx, ny, nz)
    else guessedLight(mx, my, mz, open)
    glossy(s, mirror, r, g, b, cos)
    if (seen > 0) {
      const shine = 2.2 * seen * highlight(lx / far - dx, ly / far - dy, lz / far - dz, nx, ny, nz)
      colour(R + LAMP_R * shine, G + LAMP_G * shine, B + LAMP_B * shine)
    }
  }
  hazed(dx, dz, distance)
}

// Of a surface whose own light is (r, g, b), and which mirrors the last colour.
function glossy(s: i32, mirror: f64, r: f64, g: f64, b: f64, cos: f64): void {
  const graze = grazing(cos)
  const share = mirror + (1 - mirror) * graze
  if (mirror <= METAL) return colour(r + (R - r) * share, g + (G - g) * share, b + (B - b) * share)
  const red = unchecked(RED[s])
  const green = unchecked(GREEN[s])
  const blue = unchecked(BLUE[s])
  const own = (1 - mirror) * (1 - mirror)
  colour(
    r * own + R * (red + (1 - red) * graze) * share,
    g * own + G * (green + (1 - green) * graze) * share,
    b * own + B * (blue + (1 - blue) * graze) * share,
  )
}

function followedLight(x: f64, y: f64, z: f64, dx: f64, dy: f64, dz: f64, nx: f64, ny: f64, nz: f64): void {
  const ox = x + nx * 0.001
  const oy = y + ny * 0.001
  const oz = z + nz * 0.001
  const sphere = nearest(ox, oy, oz, dx, dy, dz, dy < 0 ? -oy / dy : Infinity)
  if (sphere >= 0) return sphereLight(ox, oy, oz, dx, dy, dz, sphere, reached, false)
  if (dy < 0) floorLight(ox, oy, oz, dx, dy, dz, false)
  else sky(dx, dy, dz)
}

function guessedLight(dx: f64, dy: f64, dz: f64, open: f64): void {
  const dimmed = 0.5 + 0.5 * open
  if (dy < 0) return colour(0.74 * (0.45 * dimmed), 0.22 * (0.45 * dimmed), 0.16 * (0.45 * dimmed))
  sky(dx, dy, dz)
  colour(R * dimmed, G * dimmed, B * dimmed)
}

// camera.ts, for an eye anywhere that looks at the same place

const TARGET_X: f64 = 0.4
const TARGET_Y: f64 = 1.02
const TARGET_Z: f64 = 0

export function alloc(length: i32): usize {
  return heap.alloc(length)
}

/** Input: the eye (three f64), then i32: width and height of the frame, first row, number of rows. Result: red, green, blue of each pixel. */
export function strip(at: usize, length: i32): u64 {
  if (length != 40) throw new Error('the input has 40 bytes: three f64, four i32')
  const ex = load<f64>(at)
  const ey = load<f64>(at + 8)
  const ez = load<f64>(at + 16)
  const width = load<i32>(at + 24)
  const height = load<i32>(at + 28)
  const top = load<i32>(at + 32)
  const rows = load<i32>(at + 36)
  const x = TARGET_X - ex
  const y = TARGET_Y - ey
  const z = TARGET_Z - ez
  const long = Math.sqrt(x * x + y * y + z * z)
  const ax = x / long
  const ay = y / long
  const az = z / long
  const flat = Math.sqrt(ax * ax + az * az)
  const rx = az / flat
  const rz = -ax / flat
  const ux = ay * rz
  const uy = az * rx - ax * rz
  const uz = -ay * rx
  pixelSide = 0.75 / <f64>height
  const out = heap.alloc(3 * width * rows)
  let to = out
  for (let row = top; row < top + rows; row++) {
    for (let column = 0; column < width; column++) {
      seed(column, row)
      const across = (<f64>column + 0.5 - <f64>width / 2) * pixelSide
      const upwards = (<f64>height / 2 - (<f64>row + 0.5)) * pixelSide
      const far = Math.sqrt(1 + across * across + upwards * upwards)
      const dx = (ax + rx * across + ux * upwards) / far
      const dy = (ay + uy * upwards) / far
      const dz = (az + rz * across + uz * upwards) / far
      const sphere = nearest(ex, ey, ez, dx, dy, dz, dy < 0 ? -ey / dy : Infinity)
      if (sphere >= 0) sphereLight(ex, ey, ez, dx, dy, dz, sphere, distanceTo(sphere, ex, ey, ez, dx, dy, dz), true)
      else if (dy < 0) floorLight(ex, ey, ez, dx, dy, dz, true)
      else sky(dx, dy, dz)
      store<u8>(to, developed(R))
      store<u8>(to + 1, developed(G))
      store<u8>(to + 2, developed(B))
      to += 3
    }
  }
  return (<u64>out << 32) | <u64>(to - out)
}
