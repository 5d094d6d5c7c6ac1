/** A million peers as columns: what each is, where it is, whether it is there. */
import { onMap, type Point } from '../places.ts'
import type { Chance } from './chance.ts'
import { DEVICES, type DeviceClass } from './devices.ts'
import type { Geography } from './geography.ts'
import { isDay, Rhythm } from './rhythm.ts'
import { ticksOf } from './wheel.ts'

const NAT = { none: 0, punchable: 1, symmetric: 2 } as const
export const HOUR_MS = 3_600_000
const HOURS = 24
/** The sun is over another one each hour. */
const DEGREES_AN_HOUR = 15
/** After so long without a word a link ends: until then who has gone silently is believed to be there. */
const SILENT_TICKS = ticksOf(45_000)

export class Population {
  readonly size: number
  readonly geography: Geography
  readonly place: Uint16Array
  readonly device: Uint8Array
  /** Of the way to its first router, in eighths of a ms. */
  readonly accessTicks: Uint8Array
  readonly nat: Uint8Array
  readonly online: Uint8Array
  /** When it last came or went, in ticks. */
  readonly turnedAt: Uint32Array
  /** Gone for so long that nobody believes in it any more (`seemsThere`). */
  readonly #forgotten: Uint8Array
  /** How far the sun is ahead of the clock of the world, in hours; by place. */
  readonly #hours: Float64Array
  /** By kind of device. */
  readonly #rhythms: readonly Rhythm[]

  constructor(size: number, geography: Geography, random: Chance, devices: readonly DeviceClass[] = DEVICES) {
    this.size = size
    this.geography = geography
    this.place = new Uint16Array(size)
    this.device = new Uint8Array(size)
    this.accessTicks = new Uint8Array(size)
    this.nat = new Uint8Array(size)
    this.online = new Uint8Array(size).fill(1)
    this.turnedAt = new Uint32Array(size)
    this.#forgotten = new Uint8Array(size)
    const { points } = geography
    this.#hours = Float64Array.from({ length: geography.size }, (_, place) => {
      // Of a matrix nobody knows where its places are. Drawn in any case: a seed means the same machines.
      const drawn = random.below(HOURS)
      return points ? (onMap(points[place] as Point).longitude / DEGREES_AN_HOUR + HOURS) % HOURS : drawn
    })
    this.#rhythms = devices.map((device) => new Rhythm(device))
    const kinds = devices.flatMap(({ permille }, kind) => Array<number>(permille).fill(kind))
    for (let i = 0; i < size; i++) {
      const kind = kinds[random.below(kinds.length)] as number
      this.device[i] = kind
      this.#settle(i, devices[kind] as DeviceClass, random)
    }
    this.devices = devices
  }

  readonly devices: readonly DeviceClass[]

  get bytes(): number {
    return 2 * this.size + 5 * this.size + 4 * this.size
  }

  #settle(i: number, device: DeviceClass, random: Chance): void {
    // Those of one place are beside each other.
    this.place[i] = Math.floor((i * this.geography.size) / this.size)
    const spread = ticksOf(device.accessMsMax) - ticksOf(device.accessMsMin)
    this.accessTicks[i] = ticksOf(device.accessMsMin) + random.below(spread + 1)
    if (random.below(1000) >= device.natPermille) this.nat[i] = NAT.none
    else this.nat[i] = random.below(1000) < device.symmetricPermille ? NAT.symmetric : NAT.punchable
  }

  deviceOf(i: number): DeviceClass {
    return this.devices[this.device[i] as number] as DeviceClass
  }

  /** The first peer of a place, and that of the next. */
  firstOf(place: number): number {
    return Math.ceil((place * this.size) / this.geography.size)
  }

  /** One way, in ticks, of something small. */
  delayTicks(from: number, to: number): number {
    const { delayMs, size } = this.geography
    const between = delayMs[(this.place[from] as number) * size + (this.place[to] as number)] as number
    return ticksOf(between) + (this.accessTicks[from] as number) + (this.accessTicks[to] as number)
  }

  canBeDialled(i: number): boolean {
    return this.nat[i] === NAT.none
  }

  /** Can a direct link be made? Two behind NATs need a hole, and a symmetric one has none. */
  canReach(a: number, b: number): boolean {
    const [one, other] = [this.nat[a] as number, this.nat[b] as number]
    return one === NAT.none || other === NAT.none || (one === NAT.punchable && other === NAT.punchable)
  }

  /** Of the day, where it is: from 0 to 24, by the sun. */
  hourAt(i: number, nowMs: number): number {
    return (nowMs / HOUR_MS + (this.#hours[this.place[i] as number] as number)) % HOURS
  }

  /** Of those who sleep by night. */
  isDayAt(i: number, nowMs: number): boolean {
    return isDay(this.hourAt(i, nowMs))
  }

  /** Is it there when the world begins? */
  begin(i: number, random: Chance): void {
    const share = this.#rhythmOf(i).shareAt(this.hourAt(i, 0))
    this.online[i] = random.below(1_000_000) < 1_000_000 * share ? 1 : 0
  }

  /** Ticks until it comes or goes next. */
  staysTicks(i: number, nowMs: number, random: Chance): number {
    return ticksOf(this.#rhythmOf(i).staysMs(this.online[i] === 1, this.hourAt(i, nowMs), random))
  }

  #rhythmOf(i: number): Rhythm {
    return this.#rhythms[this.device[i] as number] as Rhythm
  }

  /** Is it there, or gone for so short that links to it have not ended? */
  seemsThere(i: number, now: number): boolean {
    if (this.#forgotten[i] === 1) return false
    if (this.online[i] === 1 || now - (this.turnedAt[i] as number) <= SILENT_TICKS) return true
    this.#forgotten[i] = 1
    return false
  }

  turn(i: number, now: number): void {
    this.#forgotten[i] = 0
    this.online[i] = this.online[i] === 0 ? 1 : 0
    this.turnedAt[i] = now
  }
}
