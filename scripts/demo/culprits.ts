/** Who signed another answer, and the files that show it. */
import type { BackendDispute } from '../../sdk/backend.ts'

export interface Culprit {
  peer: string
  pid: number
  times: number
  /** Its first that differs, and the one for the answer: signed envelopes, base64 of their DAG-CBOR. */
  receipts: [wrong: string, right: string]
  /** The file by which anyone can check the first, as a path from the checkout. */
  proof?: string
}

/** Contents by file name, those of all acts. */
export type ProofFiles = Map<string, Uint8Array>

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

/** Those of one act. */
export class Culprits {
  readonly #byPeer = new Map<string, Culprit>()
  readonly #files: ProofFiles
  readonly #pidOf: (peer: string) => number

  constructor(files: ProofFiles, pidOf: (peer: string) => number) {
    this.#files = files
    this.#pidOf = pidOf
  }

  get all(): Culprit[] {
    return [...this.#byPeer.values()]
  }

  has(peer: string): boolean {
    return this.#byPeer.has(peer)
  }

  /** Returns those who differ for the first time. */
  add(disputes: readonly BackendDispute[]): Culprit[] {
    return disputes.flatMap((dispute) => this.#addOne(dispute) ?? [])
  }

  #addOne({ liar, wrong, right, proof }: BackendDispute): Culprit | undefined {
    const known = this.#byPeer.get(liar)
    if (known) {
      known.times++
      return undefined
    }
    const culprit: Culprit = {
      peer: liar,
      pid: this.#pidOf(liar),
      times: 1,
      receipts: [base64(wrong), base64(right)],
      ...(proof && { proof: this.#keep(proof) }),
    }
    this.#byPeer.set(liar, culprit)
    return culprit
  }

  #keep(proof: Uint8Array): string {
    const name = `proof-${this.#files.size + 1}.cbor`
    this.#files.set(name, proof)
    return `demo-out/${name}`
  }
}
