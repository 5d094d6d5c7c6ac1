/** How a peer that comes back finds a member, if it knows no address but those that it remembers: as `peer/discovery.ts` dials them. */
import { LOOK_ALONE_MS_MAX, LOOK_MS_MIN, REMEMBERED_AT_ONCE } from '../../peer/discovery.ts'
import { MEMBERS_MAX } from '../../peer/members.ts'
import { DIAL_TIMEOUT_MS } from '../../peer/network/limits.ts'
import type { Chance } from './chance.ts'
import type { DiscoveryWorld } from './discovery.ts'
import { CONNECT_ROUND_TRIPS } from './kademlia.ts'
import { msOf } from './wheel.ts'

/** Of each peer: whoever there is has been drawn by then. */
const DRAWS = 10

/** When it dials some of them again, each time others: at a look, if those dialled before have been given up. */
function* roundsMs(): Generator<number> {
  let [lookMs, delayMs, freeMs] = [0, LOOK_MS_MIN, 0]
  for (let asked = 0; asked < MEMBERS_MAX; lookMs += delayMs, delayMs = Math.min(LOOK_ALONE_MS_MAX, 2 * delayMs)) {
    if (lookMs < freeMs) continue
    yield lookMs
    freeMs = lookMs + DIAL_TIMEOUT_MS
    asked += REMEMBERED_AT_ONCE
  }
}

/** Ms until `peer`, which comes back now, has shaken hands with a member that it knew when it left; Infinity: none of those is there. */
export const rejoinMs = (world: DiscoveryWorld, peer: number, random: Chance): number => {
  const { population } = world
  for (const roundMs of roundsMs()) {
    let firstMs = Number.POSITIVE_INFINITY
    for (let i = 0; i < REMEMBERED_AT_ONCE; i++) {
      const member = memberOf(world, peer, random, i % 2 === 0)
      if (member === undefined) return Number.POSITIVE_INFINITY
      if (population.online[member] === 0) continue
      firstMs = Math.min(firstMs, 2 * CONNECT_ROUND_TRIPS * msOf(population.delayTicks(peer, member)))
    }
    if (firstMs < Number.POSITIVE_INFINITY) return roundMs + firstMs
  }
  return Number.POSITIVE_INFINITY
}

/** One that can be dialled and was there when `peer` left; a near one, if there is any in its place. */
const memberOf = (world: DiscoveryWorld, peer: number, random: Chance, isNear: boolean): number | undefined => {
  const { population } = world
  const place = population.place[peer] as number
  const [first, next] = [population.firstOf(place), population.firstOf(place + 1)]
  for (let draw = 0; draw < DRAWS * population.size; draw++) {
    const fromPlace = isNear && draw < next - first
    const member = fromPlace ? first + random.below(next - first) : random.below(population.size)
    if (world.isKeeper(member) && world.knew(peer, member)) return member
  }
  return undefined
}
