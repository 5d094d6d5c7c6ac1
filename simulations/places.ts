/** Where the machines of a world are, and how long a packet takes from one to another. A stated model, not a data set. */
import type { Random } from '../protocol/ports.ts'
import { acos } from './exact-math.ts'
import { deriveSeed, seededRandom } from './random.ts'

/** Half of the Earth's circumference. */
export const HALFWAY_KM = 20_000
/** Light in glass, and fibres that go half as far again as the crow flies. */
export const KM_PER_MS = 200 / 1.5
/** From a home or an office to the first router that is not its own; one way. */
const ACCESS_MS_MIN = 1
const ACCESS_MS_MAX = 8

/** On the unit sphere. */
export interface Point {
  x: number
  y: number
  z: number
}

interface Place extends Point {
  accessMs: number
}

const shareOf = (random: Pick<Random, 'below'>): number => random.below(2 ** 32) / 2 ** 32

/** Each is as likely as any other: one in the cube around it, drawn until it is in the ball. */
export const pointOnSphere = (random: Pick<Random, 'below'>): Point => {
  for (;;) {
    const [x, y, z] = [2 * shareOf(random) - 1, 2 * shareOf(random) - 1, 2 * shareOf(random) - 1]
    const radius = Math.sqrt(x * x + y * y + z * z)
    if (radius <= 1 && radius > 0.01) return { x: x / radius, y: y / radius, z: z / radius }
  }
}

const placeOf = (random: Random): Place => {
  const accessMs = ACCESS_MS_MIN + (ACCESS_MS_MAX - ACCESS_MS_MIN) * shareOf(random)
  return { ...pointOnSphere(random), accessMs }
}

export interface Degrees {
  latitude: number
  longitude: number
}

const degreesOf = (radians: number): number => (radians / Math.PI) * 180

const within = (cosine: number): number => Math.min(1, Math.max(-1, cosine))

/** Where `point` is on a map; the poles, which have no longitude, are at 0. */
export const onMap = ({ x, y, z }: Point): Degrees => {
  const fromAxis = Math.sqrt(x * x + y * y)
  const longitude = fromAxis === 0 ? 0 : degreesOf(acos(within(x / fromAxis)))
  return { latitude: 90 - degreesOf(acos(within(z))), longitude: y < 0 ? -longitude : longitude }
}

/** Where the machine of that name is: the same for the same seed. */
export const createPlaces = (seed: number): ((name: string) => Place) => {
  const places = new Map<string, Place>()
  return (name) => {
    const place = places.get(name) ?? placeOf(seededRandom(deriveSeed(seed, `place ${name}`)))
    places.set(name, place)
    return place
  }
}

/** One-way delays between peers, in whole ms: the same both ways, and the same for the same seed and names. */
export const createDelays = (seed: number): ((from: string, to: string) => number) => {
  const at = createPlaces(seed)
  return (from, to) => {
    if (from === to) return 0
    const [a, b] = [at(from), at(to)]
    const cosine = within(a.x * b.x + a.y * b.y + a.z * b.z)
    return Math.round(a.accessMs + b.accessMs + ((acos(cosine) / Math.PI) * HALFWAY_KM) / KM_PER_MS)
  }
}
