/** Which tickets for machines of this peer's owner were used, and by whom: each admits one. Kept until they expire. */
import { recordCid } from '../protocol/cid.ts'
import { decodeCanonical, encodeCanonical } from '../protocol/codec.ts'
import { MeshError } from '../protocol/errors.ts'
import type { Ports, StorageWrite } from '../protocol/ports.ts'

const PREFIX = 'used-ticket/'

interface Use {
  by: string
  expires_ms: number
}

export class UsedTickets {
  readonly #ports: Pick<Ports, 'clock' | 'crypto' | 'storage'>
  /** By storage key. No more than the owner has asked for within the life of one. */
  readonly #uses = new Map<string, Use>()

  constructor(ports: Pick<Ports, 'clock' | 'crypto' | 'storage'>) {
    this.#ports = ports
  }

  async load(): Promise<void> {
    for await (const { key, value } of this.#ports.storage.scan(PREFIX)) {
      this.#uses.set(key, decodeCanonical(value) as unknown as Use)
    }
  }

  /**
   * `peer` shows this ticket, and may show it again. Throws MeshError E_NOT_ADMITTED if another one has, E_STORAGE if that
   * cannot be kept.
   */
  async use(ticket: Uint8Array, peer: string, expiresMs: number): Promise<void> {
    const key = PREFIX + recordCid(this.#ports.crypto, ticket)
    const by = this.#uses.get(key)?.by
    if (by === peer) return
    if (by !== undefined) {
      const message = `this ticket for one machine has let in ${by}; ask for another one, and revoke that peer if it is not yours`
      throw new MeshError('E_NOT_ADMITTED', { message, peer })
    }
    const use = { by: peer, expires_ms: expiresMs }
    // Before the first wait: two may come at once.
    this.#uses.set(key, use)
    try {
      await this.#ports.storage.write([{ key, put: encodeCanonical(use) }, ...this.#forget()], { durable: true })
    } catch (cause) {
      this.#uses.delete(key)
      throw cause
    }
  }

  #forget(): StorageWrite[] {
    const nowMs = this.#ports.clock.now()
    const over = [...this.#uses].filter(([, { expires_ms }]) => expires_ms <= nowMs)
    for (const [key] of over) this.#uses.delete(key)
    return over.map(([key]) => ({ key, delete: true }))
  }
}
