/** The newest receipts of one executor that nobody has checked. Pure. */
import { MIB } from '../protocol/limits.ts'

/** Of one executor: at the floor of audits, even one that lies in one of 100 is met once in as many. */
const CLAIMS_MAX = 1024
/** Of one executor, inputs and journals; what is larger is not checked again. */
const CLAIM_BYTES_MAX = 2 * MIB

export class Claims<Claim extends { readonly bytes: number }> {
  readonly #claims: Claim[] = []
  #bytes = 0

  add(claim: Claim): void {
    this.#claims.push(claim)
    this.#bytes += claim.bytes
    while (this.#claims.length > CLAIMS_MAX || this.#bytes > CLAIM_BYTES_MAX) {
      this.#bytes -= (this.#claims.shift() as Claim).bytes
    }
  }

  takeNewest(): Claim | undefined {
    const claim = this.#claims.pop()
    if (claim) this.#bytes -= claim.bytes
    return claim
  }
}
