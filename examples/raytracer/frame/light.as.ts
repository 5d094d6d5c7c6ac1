// light.ts in AssemblyScript: the light of a ray, left as the last colour.
import { B, colour, G, R } from './colour.as.ts'
import { floorColour } from './floor.as.ts'
import { LAMP_B, LAMP_G, LAMP_R, LAMP_X, LAMP_Y, LAMP_Z } from './lamp.as.ts'
import { CLOSES, floorPlace, SHADINGS, survey } from './places.as.ts'
import { BLUE, GREEN, METAL, MIRROR, RADIUS, RED, X, Y, Z } from './scene.as.ts'
import { lampSeen, skySeen } from './shadow.as.ts'
import { hazed, sky } from './sky.as.ts'
import { diffuse, grazing, highlight } from './surface.as.ts'
import { distanceTo, nearest, reached } from './tree.as.ts'

export function floorLight(ox: f64, oy: f64, oz: f64, dx: f64, dy: f64, dz: f64, followed: bool): void {
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

export function sphereLight(
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
