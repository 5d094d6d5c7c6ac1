/** What a home knows of many executors, over typed arrays. */
import { probationAfter, suspicionAfter, type TrustView } from '../peer/trust.ts'

/** The standing of peer `i`, over arrays. */
export class Standing implements TrustView {
  i = 0
  readonly #rights: Int32Array
  readonly #probations: Int32Array
  readonly #suspicions: Float64Array

  constructor(peers: number) {
    this.#rights = new Int32Array(peers)
    this.#probations = new Int32Array(peers)
    this.#suspicions = new Float64Array(peers)
  }

  get rights(): number {
    return this.#rights[this.i] as number
  }

  get probation(): number {
    return this.#probations[this.i] as number
  }

  get suspicion(): number {
    return this.#suspicions[this.i] as number
  }

  rightsOf(i: number): number {
    return this.#rights[i] as number
  }

  found(wrong: boolean, released: boolean): void {
    const [probation, suspicion] = [probationAfter(this, wrong, released), suspicionAfter(this, wrong)]
    if (!wrong) this.#rights[this.i] = this.rights + 1
    this.#probations[this.i] = probation
    this.#suspicions[this.i] = suspicion
  }

  clear(): void {
    this.#rights[this.i] = 0
    this.#probations[this.i] = 0
    this.#suspicions[this.i] = 0
  }
}
