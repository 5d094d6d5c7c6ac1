/** The records of a directory that others left here, within bounds: in memory, each for ten minutes at most. */
import type { KadDHTComponents } from '@libp2p/kad-dht'
import { PROVIDERS_PER_KEY_MAX, RECORD_MS_MAX } from '../peer/provider-keys.ts'
import type { Clock } from '../protocol/ports.ts'

/** One peer provides a few capabilities in its cell and in the whole mesh. */
export const KEYS_PER_PEER_MAX = 64
/** Some 4 MB. */
export const RECORDS_MAX = 16_384

type Datastore = KadDHTComponents['datastore']
type Key = Parameters<Datastore['put']>[0]

interface Held {
  key: Key
  value: Uint8Array
  atMs: number
}

const PREFIX = '/dht/provider/'

/** Key and peer of a provider record; undefined: it is another kind of record, of which none is kept. */
const partsOf = (key: Key): { provided: string; peer: string } | undefined => {
  const text = key.toString()
  if (!text.startsWith(PREFIX)) return undefined
  const [provided = '', peer = ''] = text.slice(PREFIX.length).split('/')
  return { provided, peer }
}

/** As much of a datastore as kad-dht uses. */
export class ProviderStore implements Pick<Datastore, 'put' | 'get' | 'has' | 'delete' | 'query'> {
  readonly #clock: Pick<Clock, 'monotonic'>
  /** The one least recently renewed first, by the text of its key. */
  readonly #records = new Map<string, Held>()
  readonly #peersOf = new Map<string, Set<string>>()
  readonly #keysOf = new Map<string, number>()

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock
  }

  get size(): number {
    return this.#records.size
  }

  /** Throws for what is over a bound: the sender's stream ends with it. */
  put(key: Key, value: Uint8Array): Key {
    const parts = partsOf(key)
    if (!parts) throw new Error('this directory keeps who provides what, and nothing else')
    const { provided, peer } = parts
    this.#expire()
    if (!this.#records.has(key.toString())) this.#ensureRoom(provided, peer)
    this.#remove(key)
    this.#records.set(key.toString(), { key, value, atMs: this.#clock.monotonic() })
    this.#peersOf.set(provided, (this.#peersOf.get(provided) ?? new Set<string>()).add(key.toString()))
    this.#keysOf.set(peer, (this.#keysOf.get(peer) ?? 0) + 1)
    return key
  }

  get(key: Key): Uint8Array {
    this.#expire()
    const held = this.#records.get(key.toString())
    if (held) return held.value
    throw Object.assign(new Error(`there is no ${key}`), { name: 'NotFoundError' })
  }

  has(key: Key): boolean {
    this.#expire()
    return this.#records.has(key.toString())
  }

  delete(key: Key): void {
    this.#remove(key)
  }

  /** Of one key, as it is asked for by peers; or of all. */
  async *query({ prefix = '' }: Parameters<Datastore['query']>[0]): AsyncGenerator<{ key: Key; value: Uint8Array }> {
    this.#expire()
    const provided = prefix.startsWith(PREFIX) ? prefix.slice(PREFIX.length).split('/', 1)[0] : undefined
    const texts = provided === undefined ? [...this.#records.keys()] : [...(this.#peersOf.get(provided) ?? [])]
    for (const text of texts) {
      const held = this.#records.get(text)
      if (held) yield held
    }
  }

  #ensureRoom(provided: string, peer: string): void {
    if ((this.#peersOf.get(provided)?.size ?? 0) >= PROVIDERS_PER_KEY_MAX) {
      throw new Error(`a key has at most ${PROVIDERS_PER_KEY_MAX} providers`)
    }
    if ((this.#keysOf.get(peer) ?? 0) >= KEYS_PER_PEER_MAX) {
      throw new Error(`a peer provides at most ${KEYS_PER_PEER_MAX} keys`)
    }
    if (this.size >= RECORDS_MAX) throw new Error(`at most ${RECORDS_MAX} records are kept`)
  }

  #expire(): void {
    const oldestMs = this.#clock.monotonic() - RECORD_MS_MAX
    for (const { key, atMs } of this.#records.values()) {
      if (atMs > oldestMs) return
      this.#remove(key)
    }
  }

  #remove(key: Key): void {
    const text = key.toString()
    const parts = partsOf(key)
    if (!parts || !this.#records.delete(text)) return
    const peers = this.#peersOf.get(parts.provided)
    peers?.delete(text)
    if (peers?.size === 0) this.#peersOf.delete(parts.provided)
    const keys = (this.#keysOf.get(parts.peer) ?? 1) - 1
    if (keys === 0) this.#keysOf.delete(parts.peer)
    else this.#keysOf.set(parts.peer, keys)
  }
}
