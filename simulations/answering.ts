/** Who answers for whom in trials of verification, and who vouches for whom on a public mesh. */
import type { Answering, Charges } from '../peer/charges.ts'

/** A public mesh, where nobody is let in: all are strangers of the founder for whom nobody vouches. */
export interface PublicMesh {
  /** Honest peers come in groups of so many, the first of which is an operator: it stays. */
  machines: number
  /** The share of the others for whom it vouches. */
  vouched: number
  /** So many receipts after it came each of the others leaves for good and another one takes its place; 0: they stay. */
  lifeReceipts: number
  /**
   * Colluders: `strangers`, for whom nobody vouches; guests of one operator of their own; of a `ring`, in which the next operator vouches for
   * whoever comes back once one of the last one's guests was expelled; guests whom the first honest operator vouches for, too.
   */
  colluders: 'strangers' | 'operator' | 'ring' | 'bought'
}

/** `founder`: that of the mesh let in all of them. `member`: one member the colluders, and another the others. */
export type LetInBy = 'founder' | 'member'

export interface Family {
  colluders: number
  letInBy?: LetInBy | undefined
  open?: PublicMesh | undefined
}

const FOUNDER = 'founder'

/** Of an honest peer of a public mesh: the operator, one for whom that vouches, or one that stands alone. */
export type Part = 'operator' | 'guest' | 'alone'

export const partOf = (i: number, { colluders, open }: Family): Part | undefined => {
  if (!open || i < colluders) return undefined
  const place = (i - colluders) % open.machines
  if (place === 0) return 'operator'
  return place <= open.vouched * (open.machines - 1) ? 'guest' : 'alone'
}

export class Lines {
  readonly #family: Family
  readonly #charges: Charges
  readonly #all: Answering[]
  #rings = 0

  constructor(family: Family, charges: Charges, peers: number) {
    this.#family = family
    this.#charges = charges
    this.#all = Array.from({ length: peers }, (_, i) => this.#lineOf(i))
  }

  of(i: number): Answering {
    return this.#all[i] as Answering
  }

  /** It is somebody else now. */
  renew(i: number): void {
    this.#charges.set(`${i}`, { charges: 0, earned: 0 })
    if (this.#charges.of(`ring ${this.#rings}`).charges > 0) this.#rings++
    this.#all[i] = this.#lineOf(i)
  }

  #lineOf(i: number): Answering {
    const { colluders, letInBy, open } = this.#family
    const peer = `${i}`
    if (!open) {
      if (letInBy === undefined) return { line: [peer] }
      if (letInBy === 'founder') return { line: [peer, FOUNDER] }
      return { line: [peer, i < colluders ? 'member who lets colluders in' : 'member', FOUNDER] }
    }
    const voucher = this.#voucherOf(i, open)
    const vouchers = voucher === undefined ? [peer] : [peer, voucher]
    return { line: [...vouchers, FOUNDER], vouchers }
  }

  #voucherOf(i: number, open: PublicMesh): string | undefined {
    const { colluders } = this.#family
    if (i >= colluders) {
      const operator = i - ((i - colluders) % open.machines)
      return partOf(i, this.#family) === 'guest' ? `${operator}` : undefined
    }
    const by = {
      strangers: undefined,
      operator: 'operator of colluders',
      ring: `ring ${this.#rings}`,
      bought: `${colluders}`,
    }
    return by[open.colluders]
  }
}
