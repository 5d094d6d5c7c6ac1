/**
 * In place of parts of libp2p that a page's peer never calls. It finds peers by what neighbours tell and carriers by asking
 * them (peer/lookups.ts, browser-agent/carriers.ts): libp2p is given no router, so it has none to ask or to walk along, and
 * without identify it is told of no relay.
 */

/** Whom `addRelay` has found to carry for nobody; so many are remembered. */
export const NO_RELAYS_MAX = 1000

/** `libp2p/peer-routing` of no routers. libp2p asks it when a dial has no address, and takes an error for that. */
export class DefaultPeerRouting {
  findPeer(): Promise<never> {
    return Promise.reject(new Error('no address of the peer is known, and a page has no router to ask'))
  }
}

/** `libp2p/content-routing`, `libp2p/random-walk`, and the relay transport's `discovery`. */
export class CompoundContentRouting {}
export class RandomWalk {}
export class RelayDiscovery extends EventTarget {
  startDiscovery(): void {}
  stopDiscovery(): void {}
}

/** `@libp2p/utils/filters`: exact, and bounded by forgetting the oldest. */
class Filter {
  readonly #items = new Set<string>()

  has(item: Uint8Array): boolean {
    return this.#items.has(String(item))
  }

  add(item: Uint8Array): void {
    this.#items.add(String(item))
    if (this.#items.size > NO_RELAYS_MAX) this.#items.delete(this.#items.values().next().value as string)
  }
}

export const createScalableCuckooFilter = (): Filter => new Filter()
