/**
 * Images of functions, so that a process that is new need not evaluate a module that others have evaluated: some in
 * memory, all as blocks. They are this machine's own: no message asks for one or brings one.
 */
import { type CID, ensureCid, rawCid } from '../protocol/cid.ts'
import { MIB } from '../protocol/limits.ts'
import type { Ports } from '../protocol/ports.ts'
import { engineFor, runsTier, TIERS } from '../protocol/tiers.ts'
import type { BlockStore } from '../registry/block-store.ts'

/** Beside the blocks: `image/ENGINE/FUNCTION/MEMORY` is the CID of one, as text. */
const IMAGE = 'image/'
const MEMORY_BYTES_MAX = 32 * MIB
/** Images of which one process has told. */
const CLAIMED_MAX = 256

type ImagesPorts = Pick<Ports, 'crypto' | 'log' | 'sandboxHost' | 'storage'>

interface Held {
  file: Uint8Array
  /** It is offered to sandbox processes until then. */
  withdraw: (() => void) | undefined
}

export class Images {
  readonly #ports: ImagesPorts
  readonly #store: Pick<BlockStore, 'get' | 'put'>
  readonly #prefix: string
  /** The newest engine of each tier: images of others are not kept. */
  readonly #current: ReadonlySet<string | undefined>
  /** By key; the longest unused first. */
  readonly #files = new Map<string, Held>()
  #bytes = 0
  /** By key, the CID that the first process told of. */
  readonly #claimed = new Map<string, string>()

  constructor(ports: ImagesPorts, store: Pick<BlockStore, 'get' | 'put'>, engines: readonly string[]) {
    this.#ports = ports
    this.#store = store
    this.#prefix = `${IMAGE}${engineFor(engines, 'javascript')}/`
    this.#current = new Set(TIERS.map((tier) => engines.find((engine) => runsTier(engine, tier))))
  }

  /** An image that is in memory. */
  find(functionId: string, memoryBytes: number, engine?: string): Uint8Array | undefined {
    if (engine && !this.#current.has(engine)) return undefined
    const key = this.#key(functionId, memoryBytes)
    const held = this.#files.get(key)
    if (held) this.#hold(key, held.file)
    return held?.file
  }

  /** Brings the function's images into memory. Storage that cannot be read has none. */
  async warm(functionId: string): Promise<void> {
    try {
      for await (const { key, value } of this.#ports.storage.scan(`${this.#prefix}${functionId}/`)) {
        const file = await this.#store.get(ensureCid(utf8.decode(value)))
        if (file) this.#hold(key, file)
        else await this.#ports.storage.write([{ key, delete: true }])
      }
    } catch {
      // Then the module is evaluated.
    }
  }

  /**
   * A process has made an image. It is believed once another process, which knows nothing of the first, has made the
   * same: a guest that broke out of one could have made anything.
   */
  readonly made = (functionId: string, memoryBytes: number, file: Uint8Array, engine?: string): void => {
    if (engine && !this.#current.has(engine)) return
    const key = this.#key(functionId, memoryBytes)
    if (this.#files.has(key)) return
    const cid = rawCid(this.#ports.crypto, file)
    const text = cid.toString()
    const claimed = this.#claimed.get(key)
    this.#claimed.delete(key)
    if (claimed !== text) {
      if (claimed !== undefined) this.#report(functionId, `two processes made different images of it`)
      this.#claimed.set(key, text)
      if (this.#claimed.size > CLAIMED_MAX) this.#claimed.delete(this.#claimed.keys().next().value as string)
      return
    }
    this.#hold(key, file)
    this.#keep(key, cid, file).catch(() => {
      // A disk that takes none: it stays in memory.
    })
  }

  async #keep(key: string, cid: CID, file: Uint8Array): Promise<void> {
    await this.#store.put(cid, file)
    await this.#ports.storage.write([{ key, put: utf8Of(cid.toString()) }])
  }

  #hold(key: string, file: Uint8Array): void {
    const before = this.#files.get(key)
    if (before && before.file !== file) this.#drop(key, before)
    this.#files.delete(key)
    const held = before?.file === file ? before : { file, withdraw: this.#ports.sandboxHost.offer?.(file) }
    this.#files.set(key, held)
    if (held !== before) this.#bytes += file.length
    for (const [oldest, one] of this.#files) {
      if (this.#bytes <= MEMORY_BYTES_MAX || oldest === key) return
      this.#drop(oldest, one)
    }
  }

  #drop(key: string, { file, withdraw }: Held): void {
    this.#files.delete(key)
    this.#bytes -= file.length
    withdraw?.()
  }

  #report(functionId: string, reason: string): void {
    this.#ports.log.event('internal.error', { function: functionId, code: 'E_INTERNAL', reason })
  }

  #key(functionId: string, memoryBytes: number): string {
    return `${this.#prefix}${functionId}/${memoryBytes}`
  }
}

const utf8 = new TextDecoder()
const utf8Of = (text: string) => new TextEncoder().encode(text)
