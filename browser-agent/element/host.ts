/** Where the frame of an element comes from whose code a site built itself. */
import { originOfAddress } from '../../protocol/address-kind.ts'
import { addressesInTicket } from '../../protocol/mesh.ts'

const LOCAL = /^http:\/\/(localhost|127(\.\d+){3}|\[::1\])(:|\/|$)/
/** A certificate for a number is seldom one that browsers know. */
const NAMED = /^https:\/\/[^[:]*[a-z]/
const SECURE = /^https:\/\/[\w[]/

/**
 * The host's URL: `host` if it is one, or the address in the ticket `mesh` that is the likeliest to serve pages. `page` is
 * the URL of the page: one on this machine may have its agent there, without TLS. Throws an Error for the site's owner.
 */
export const hostOf = (host: string | null, mesh: string, page: string): string => {
  if (host !== null) {
    if (SECURE.test(host) || LOCAL.test(host)) return host
    throw new Error('host="…" must be where an agent serves pages: https://mesh.example')
  }
  const origins = addressesInTicket(mesh.trim()).flatMap((address) => originOfAddress(address) ?? [])
  const wanted = [...(LOCAL.test(page) ? [LOCAL] : []), NAMED, SECURE]
  const [best] = wanted.flatMap((kind) => origins.filter((origin) => kind.test(origin)))
  if (best === undefined) throw new Error('its ticket names no address with https; host="https://…" says who serves it')
  return best
}
