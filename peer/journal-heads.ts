/** Heads of journals that their homes have signed: what an executor keeps of them, and how it notices two that differ. */
import { type Envelope, signBatch, verifyEnvelope } from '../protocol/envelope.ts'
import type { Ports } from '../protocol/ports.ts'
import { JournalHead, type Receipt } from '../protocol/records.ts'

/** What is signed for one attempt: `invocation`, `epoch` and `journal` as its receipt has them. */
export const headBytes = ({ invocation, epoch, journal }: Pick<Receipt, 'invocation' | 'epoch' | 'journal'>) =>
  JournalHead.encode({ v: 1, invocation, epoch, journal })

export const signHeads = (
  { crypto, signer, network }: Pick<Ports, 'crypto' | 'signer' | 'network'>,
  payloads: readonly Uint8Array[],
): Promise<Envelope[]> => signBatch(crypto, signer, network.peerId, 'journal-head', payloads)

/** A signed head, read. */
export interface SignedHead {
  readonly signed: Envelope
  readonly says: JournalHead
}

/** Throws MeshError E_MESSAGE; the signature is not checked. */
export const readHead = (signed: Envelope): SignedHead => ({ signed, says: JournalHead.decode(signed.payload) })

/** The head, if it is rightly signed. Throws MeshError E_MESSAGE or E_SIGNATURE. */
export const openHead = async (crypto: Ports['crypto'], signed: Envelope): Promise<SignedHead> => {
  await verifyEnvelope(crypto, 'journal-head', signed)
  return readHead(signed)
}

/** Two of one signer with one key say of one journal what it is at one length. */
const keyOf = ({ signed, says: { invocation, epoch, journal } }: SignedHead): string =>
  `${signed.signer} ${invocation} ${epoch} ${journal.length}`

/** Two heads, rightly signed by one home, that no honest home has signed both. */
export type TwoHeads = readonly [SignedHead, SignedHead]

const differ = (a: SignedHead, b: SignedHead): boolean =>
  a.says.journal.head.some((byte, i) => byte !== b.says.journal.head[i])

/** Some 400 bytes each. Whoever wants to show two different ones shows them before so many others have come. */
const HEADS_MAX = 4096

/** The newest heads. Only those whose signatures have been checked may be added. */
export class JournalHeads {
  /** The one longest known first. */
  readonly #heads = new Map<string, SignedHead>()

  get size(): number {
    return this.#heads.size
  }

  /** The head, and the one seen before that contradicts it. */
  add(head: SignedHead): TwoHeads | undefined {
    const key = keyOf(head)
    const before = this.#heads.get(key)
    if (before) return differ(before, head) ? [before, head] : undefined
    this.#heads.set(key, head)
    if (this.#heads.size > HEADS_MAX) this.#heads.delete(this.#heads.keys().next().value as string)
    return undefined
  }
}
