/** The homes that share this etcd: each has a key under its lease, which goes with it. */
import type { Homes } from '../../peer/state/homes.ts'

export class LiveHomes implements Homes {
  /** `HOME.WHICH`: of one that has started again two, for as long as the lease of the first lasts. */
  #keys = new Set<string>()
  readonly #followers = new Set<() => void>()

  isThere(home: string): boolean {
    for (const key of this.#keys) if (key.startsWith(`${home}.`)) return true
    return false
  }

  follow(gone: () => void): () => void {
    this.#followers.add(gone)
    return () => this.#followers.delete(gone)
  }

  /** All keys are told anew. */
  reset(keys: readonly string[]): void {
    this.#keys = new Set(keys)
    this.#tell()
  }

  changed(key: string, isThere: boolean): void {
    if (isThere) this.#keys.add(key)
    else if (this.#keys.delete(key)) this.#tell()
  }

  #tell(): void {
    for (const gone of [...this.#followers]) gone()
  }
}
