/** Blocks of what a run puts are kept before its requests are told: so whoever hears of them finds them here. */
import { rawCid } from '../protocol/cid.ts'
import type { Ports } from '../protocol/ports.ts'
import type { BlockStore } from '../registry/block-store.ts'
import type { Puts, RunBlocks, Saying } from './large-answers.ts'

type Failed = (reason: string) => void

class KeptPuts implements Puts {
  readonly #keep: (bytes: Uint8Array) => Promise<void>
  readonly #failed: Failed
  #keeping = 0
  #hasFailed = false
  told: Promise<void> | undefined

  constructor(keep: (bytes: Uint8Array) => Promise<void>, failed: Failed) {
    this.#keep = keep
    this.#failed = failed
  }

  get isBusy(): boolean {
    return this.#keeping > 0
  }

  behindBlocks({ onRequest, onWait, onRest, onStop }: Saying): Saying {
    return {
      ...(onRequest && { onRequest: this.#inOrder(onRequest) }),
      ...(onWait && { onWait: this.#inOrder(onWait) }),
      onRest: onRest && this.#inOrder(onRest),
      ...(onStop && { onStop: this.#inOrder(onStop) }),
      onBlock: (bytes) => {
        this.told = Promise.all([this.told, this.#kept(bytes)]).then(() => {})
      },
    }
  }

  #inOrder<A extends unknown[]>(say: (...said: A) => void): (...said: A) => void {
    return (...said) => {
      if (!this.told) return say(...said)
      this.told = this.told.then(() => {
        if (!this.#hasFailed) say(...said)
      })
    }
  }

  async #kept(bytes: Uint8Array): Promise<void> {
    this.#keeping++
    try {
      await this.#keep(bytes)
    } catch (cause) {
      this.#hasFailed = true
      this.#failed((cause as Error).message)
    } finally {
      this.#keeping--
    }
  }
}

/** Keeps them in `store`, as used last. */
export const putsIn =
  (ports: Pick<Ports, 'crypto'>, store: Pick<BlockStore, 'put'>): NonNullable<RunBlocks['puts']> =>
  (failed) =>
    new KeptPuts((bytes) => store.put(rawCid(ports.crypto, bytes), bytes), failed)
