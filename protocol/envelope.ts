/**
 * Signatures. Records are signed in batches: the signer signs one Merkle root, and each record carries its path, so
 * that it can be checked alone. Each leaf names its kind, so a signature on one kind can never serve as another.
 * Tree as in RFC 6962, 2.1: a leaf is H(00 ‖ …), a node H(01 ‖ left ‖ right), the left side the larger power of two.
 */
import * as v from 'valibot'
import { MeshError } from './errors.ts'
import { publicKeyOf } from './identity.ts'
import { joinBytes } from './join-bytes.ts'
import { BATCH_ITEMS_MAX } from './limits.ts'
import type { Crypto, Signer } from './ports.ts'
import { bytes, integer, list, peerId } from './schema.ts'

/** The kinds of signed records, each its own signature domain. Add only at the end; never change one. */
export const SIGNED_KINDS = [
  'ticket',
  'membership',
  'invocation',
  'receipt',
  'advertisement',
  'revocation',
  'journal-head',
  'delegation',
  'tally',
] as const
export type SignedKind = (typeof SIGNED_KINDS)[number]

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0))

const ROOT_DOMAIN = ascii('/wayside/1/root\0')

/** What is signed. The size is in it: without, a path of one size could be shown as a path of another. */
const rootStatement = (size: number, root: Uint8Array): Uint8Array =>
  joinBytes([ROOT_DOMAIN, Uint8Array.of(size >> 8, size & 255), root])

const LEAF = Object.fromEntries(SIGNED_KINDS.map((kind) => [kind, ascii(`\0/wayside/1/${kind}\0`)])) as Record<
  SignedKind,
  Uint8Array
>
const HASH_BYTES = 32

/** What a short leaf is joined in to be hashed; hashing ends before the next begins. */
const leafScratch = new Uint8Array(2048)
const nodeScratch = Uint8Array.of(1, ...new Uint8Array(2 * HASH_BYTES))

const leafHash = (crypto: Pick<Crypto, 'hash'>, kind: SignedKind, payload: Uint8Array): Uint8Array => {
  const domain = LEAF[kind]
  const length = domain.length + payload.length
  if (length > leafScratch.length) return crypto.hash(joinBytes([domain, payload]))
  leafScratch.set(domain)
  leafScratch.set(payload, domain.length)
  return crypto.hash(leafScratch.subarray(0, length))
}

const nodeHash = (crypto: Pick<Crypto, 'hash'>, left: Uint8Array, right: Uint8Array): Uint8Array => {
  nodeScratch.set(left, 1)
  nodeScratch.set(right, 1 + HASH_BYTES)
  return crypto.hash(nodeScratch)
}

/** Largest power of two below `n` (n ≥ 2). */
const splitAt = (n: number): number => {
  let k = 1
  while (k * 2 < n) k *= 2
  return k
}

/** One signed record that stands alone. `path` leads from leaf `index` of `size` to the signed root. */
export const envelope = (payloadBytesMax: number) =>
  v.strictObject({
    payload: bytes(payloadBytesMax),
    signer: peerId(),
    signature: bytes(64, 64),
    index: integer(0, BATCH_ITEMS_MAX - 1),
    size: integer(1, BATCH_ITEMS_MAX),
    path: list(bytes(32, 32), 10),
  })

export type Envelope = v.InferOutput<ReturnType<typeof envelope>>

/** Fills `paths[i]` with the siblings of leaf i, nearest first, and returns the root. */
const climb = (
  crypto: Pick<Crypto, 'hash'>,
  leaves: readonly Uint8Array[],
  from: number,
  to: number,
  paths: Uint8Array[][],
): Uint8Array => {
  if (to - from === 1) return leaves[from] as Uint8Array
  const middle = from + splitAt(to - from)
  const left = climb(crypto, leaves, from, middle, paths)
  const right = climb(crypto, leaves, middle, to, paths)
  for (let i = from; i < to; i++) paths[i]?.push(i < middle ? right : left)
  return nodeHash(crypto, left, right)
}

const treeOf = (crypto: Pick<Crypto, 'hash'>, kind: SignedKind, payloads: readonly Uint8Array[]) => {
  const paths: Uint8Array[][] = payloads.map(() => [])
  const leaves = payloads.map((payload) => leafHash(crypto, kind, payload))
  return { root: climb(crypto, leaves, 0, leaves.length, paths), paths }
}

const envelopesOf = (
  signer: string,
  payloads: readonly Uint8Array[],
  signature: Uint8Array,
  paths: readonly Uint8Array[][],
): Envelope[] =>
  payloads.map((payload, index) => ({
    payload,
    signer,
    signature,
    index,
    size: payloads.length,
    path: paths[index] as Uint8Array[],
  }))

const rootOf = (
  crypto: Pick<Crypto, 'hash'>,
  leaf: Uint8Array,
  index: number,
  size: number,
  path: readonly Uint8Array[],
): Uint8Array | undefined => {
  if (size === 1) return path.length === 0 ? leaf : undefined
  const sibling = path.at(-1)
  if (!sibling) return undefined
  const middle = splitAt(size)
  const rest = path.slice(0, -1)
  if (index < middle) {
    const left = rootOf(crypto, leaf, index, middle, rest)
    return left && nodeHash(crypto, left, sibling)
  }
  const right = rootOf(crypto, leaf, index - middle, size - middle, rest)
  return right && nodeHash(crypto, sibling, right)
}

/**
 * Signs `payloads` with one signature. The i-th envelope holds the i-th payload.
 * Throws MeshError E_INTERNAL unless there are 1 to BATCH_ITEMS_MAX of them.
 */
export const signBatch = async (
  crypto: Pick<Crypto, 'hash'>,
  signer: Signer,
  signerId: string,
  kind: SignedKind,
  payloads: readonly Uint8Array[],
): Promise<Envelope[]> => {
  const { length } = payloads
  if (length < 1 || length > BATCH_ITEMS_MAX)
    throw new MeshError('E_INTERNAL', `a batch has 1 to ${BATCH_ITEMS_MAX} payloads, not ${length}`)
  const tree = treeOf(crypto, kind, payloads)
  return envelopesOf(signerId, payloads, await signer.sign(rootStatement(length, tree.root)), tree.paths)
}

/** A batch as it travels: receivers rebuild root and paths from the payloads, so none is sent. */
export const signedBatch = (payloadBytesMax: number) =>
  v.strictObject({ payloads: list(bytes(payloadBytesMax), BATCH_ITEMS_MAX, 1), signature: bytes(64, 64) })

export type SignedBatch = v.InferOutput<ReturnType<typeof signedBatch>>

export const batchOf = (envelopes: readonly Envelope[]): SignedBatch => ({
  payloads: envelopes.map((one) => one.payload),
  signature: (envelopes[0] as Envelope).signature,
})

/** The envelopes of a batch that `signerId` sent. Throws MeshError E_SIGNATURE unless the one signature covers all. */
export const openBatch = async (
  crypto: Crypto,
  signerId: string,
  kind: SignedKind,
  batch: SignedBatch,
): Promise<Envelope[]> => {
  const { payloads, signature } = batch
  const tree = treeOf(crypto, kind, payloads)
  await ensureSigned(crypto, signerId, kind, rootStatement(payloads.length, tree.root), signature)
  return envelopesOf(signerId, payloads, signature, tree.paths)
}

const ensureSigned = async (
  crypto: Crypto,
  signerId: string,
  kind: SignedKind,
  statement: Uint8Array,
  signature: Uint8Array,
) => {
  if (!(await crypto.verify(publicKeyOf(signerId), statement, signature))) {
    throw new MeshError('E_SIGNATURE', {
      message: `the signature on this ${kind} is not by ${signerId}`,
      peer: signerId,
    })
  }
}

/** Throws MeshError E_SIGNATURE unless path and signature show that the signer signed this payload as this kind. */
export const verifyEnvelope = async (crypto: Crypto, kind: SignedKind, signed: Envelope): Promise<void> => {
  const leaf = leafHash(crypto, kind, signed.payload)
  const root = signed.index < signed.size ? rootOf(crypto, leaf, signed.index, signed.size, signed.path) : undefined
  if (!root) {
    throw new MeshError('E_SIGNATURE', {
      message: `the path of this ${kind} does not fit its place in the batch`,
      peer: signed.signer,
    })
  }
  await ensureSigned(crypto, signed.signer, kind, rootStatement(signed.size, root), signed.signature)
}
