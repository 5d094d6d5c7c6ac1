/** Attacks on a shop, at one await after the other. */
import { randomFor } from '../../../scripts/test/seed.ts'
import { Shop, type ShopOptions } from './shop.ts'

/** A shop keeps what it sold, and reads it at each start: so each has few sales. */
const SALES_MAX = 30
/** Of one sale: it has as many lives. */
const CUTS = { order: 4, visit: 6 }

/** One sale that is attacked at await `at`; false: it has fewer. */
type Sale = (shop: Shop, at: number) => Promise<boolean>

const HOME_CUT_OFF = 'orders, their home cut off'
const SALES = {
  [HOME_CUT_OFF]: (shop, at) => shop.sell(at, CUTS.order),
  'visits, their home cut off': (shop, at) => shop.visit(at, CUTS.visit),
  'orders, their executor killed': (shop, at) => shop.sellWithout('killed', at),
  'orders, their executor stopped': (shop, at) => shop.sellWithout('stopped', at),
} satisfies Record<string, Sale>

export type Kind = keyof typeof SALES

/**
 * At every await that a sale has, and again from the first one, until those were `least` points; where a home is cut off also
 * until a sink that does each request did one again. Returns how many points.
 */
export const attack = async (kind: Kind, least: number, options: ShopOptions = {}): Promise<number> => {
  const sale: Sale = SALES[kind]
  const random = randomFor(kind)
  const found = { points: 0, duplicates: 0, unknown: 0, repeated: 0 }
  let isWhole = false
  const isEnough = (points: number, repeated: number) =>
    isWhole && points >= least && (kind !== HOME_CUT_OFF || repeated > 0)
  for (let at = 1, shops = 0; !isEnough(found.points, found.repeated); shops++) {
    const shop = await Shop.open(`${kind} ${shops}`, random, options)
    const isDone = () => isEnough(found.points + shop.points, found.repeated + shop.sinks.repeated)
    for (let sales = 0; sales < SALES_MAX && (at > 1 || sales === 0) && !isDone(); sales++)
      at = (await sale(shop, at)) ? at + 1 : 1
    isWhole ||= at === 1
    found.points += shop.points
    found.duplicates += shop.sinks.duplicates
    found.unknown += shop.sinks.unknown
    found.repeated += shop.sinks.repeated
    await shop.world.stop()
  }
  const { points, duplicates, unknown, repeated } = found
  const again = `${duplicates} requests came again, ${repeated} of them were done again`
  console.info(`${kind}: ${points} points; ${again}, of ${unknown} nobody knows whether they were done`)
  return points
}
