/**
 * `node scripts/protocol/vectors.ts` adds the vectors that protocol/vectors/ lacks: of new examples, and of lines that
 * were appended to a list by hand. It changes nothing that is there.
 */
import { decodeCanonical, encodeCanonical } from '../../protocol/codec.ts'
import { batchOf, type Envelope, SIGNED_KINDS, signBatch } from '../../protocol/envelope.ts'
import { journalHead } from '../../protocol/journal.ts'
import { ticketToText } from '../../protocol/mesh.ts'
import { headOf } from './cbor-spans.ts'
import { contentToJson } from './content-json.ts'
import {
  blockFrameExamples,
  journal,
  peerFrameExamples,
  recordExamples,
  signedTicket,
  statefulJournal,
} from './examples.ts'
import { delegatedExamples, delegationExamples, homeFrameExamples } from './home-examples.ts'
import { MESSAGE_CASES, type MessageCase } from './targets.ts'
import { crypto, testPeer } from './test-keys.ts'
import { tallyExamples, usageFrameExamples } from './usage-examples.ts'
import { addToList, addVector } from './vector-files.ts'

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

const FRAMES: Record<string, readonly { t: string }[]> = {
  frame: [...peerFrameExamples, ...delegatedExamples],
  'block frame': blockFrameExamples,
  'home frame': homeFrameExamples,
  'usage frame': usageFrameExamples,
}
const RECORDS: Record<string, readonly unknown[]> = {
  ...recordExamples,
  delegation: delegationExamples,
  tally: tallyExamples,
}

const examplesOf = ({ name, message, schema }: MessageCase): readonly unknown[] => {
  const t = schema.entries?.t?.literal
  return (t === undefined ? RECORDS[name] : FRAMES[message.name]?.filter((frame) => frame.t === t)) ?? []
}

/** Name, file, content. */
export const validMessages = (): { name: string; bytes: Uint8Array; content: string }[] =>
  MESSAGE_CASES.flatMap((one) =>
    examplesOf(one).map((example) => {
      const bytes = one.message.encode(example)
      return { name: one.name, bytes, content: contentToJson(decodeCanonical(bytes)) }
    }),
  )

/** A map of n < 24 pairs, written in ways that README.md, "Encoding", forbids. */
const wrongForms = (bytes: Uint8Array): [Uint8Array, string][] => {
  const [head = 0, ...rest] = bytes
  const count = head & 31
  const wide = Uint8Array.of(...headOf(5, count, 1), ...rest)
  const endless = Uint8Array.of(0xbf, ...rest, 0xff)
  return [
    [wide, 'the number of pairs in two bytes'],
    [endless, 'a map of indefinite length'],
    [Uint8Array.of(...bytes, 0), 'a byte after the end'],
    [bytes.slice(0, -1), 'the last byte missing'],
    [Uint8Array.of(0xd9, 0xd9, 0xf7, ...bytes), 'the tag of self-described CBOR before it'],
  ]
}

const wrongContents = (example: Record<string, unknown>): [unknown, string][] => {
  const key = Object.keys(example).at(-1) as string
  const { [key]: _, ...without } = example
  const versions: [unknown, string][] = 'v' in example ? [[{ ...example, v: 2 }, 'version 2']] : []
  const types: [unknown, string][] = 't' in example ? [[{ ...example, t: 'unheard' }, 'a type that nobody knows']] : []
  return [
    [{ ...example, zz: null }, 'a field that nobody knows'],
    [{ ...example, toString: 1 }, 'a field named as something that is on every object'],
    [without, `no ${key}`],
    [{ ...example, [key]: null }, `${key} null`],
    [[example], 'a list around it'],
    ...versions,
    ...types,
  ]
}

const shortestOf = (one: MessageCase): Record<string, unknown> => {
  const lengthOf = (example: unknown) => one.message.encode(example).length
  return examplesOf(one).toSorted((a, b) => lengthOf(a) - lengthOf(b))[0] as Record<string, unknown>
}

/** Name, code, bytes, what is wrong. */
const invalidMessages = (): string[][] =>
  MESSAGE_CASES.flatMap((one) => {
    const example = shortestOf(one)
    const forms = wrongForms(one.message.encode(example))
    const contents = wrongContents(example).map(([x, why]) => [encodeCanonical(x), why] as const)
    return [...forms, ...contents].map(([bytes, why]) => [one.name, 'E_MESSAGE', hexOf(bytes), why])
  })

const payloadsOf = (count: number) => Array.from({ length: count }, (_, i) => Uint8Array.of(i))
const signer = testPeer(1)
const other = testPeer(2)

/** Kind, signer, payloads, signature, and the paths of the payloads (hashes joined by commas). */
const validSignatures = async (): Promise<string[][]> => {
  const rows: string[][] = []
  for (const kind of SIGNED_KINDS)
    for (const count of kind === 'receipt' ? [1, 2, 3, 4, 5, 8, 11] : [1, 3]) {
      const envelopes = await signBatch(crypto, signer.signer, signer.id, kind, payloadsOf(count))
      const paths = envelopes.map(({ path }) => path.map(hexOf).join(',') || '-')
      const { payloads, signature } = batchOf(envelopes)
      rows.push([kind, signer.id, payloads.map(hexOf).join(' '), hexOf(signature), paths.join(' ')])
    }
  return rows
}

/** The order of the group of Ed25519, of which a signature's second half is a remainder. Source: RFC 8032, 5.1. */
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n

/** The same signature for whoever does not look whether its second half is below the order. */
const malleated = (signature: Uint8Array): Uint8Array => {
  const out = signature.slice()
  let s = 0n
  for (let i = 63; i >= 32; i--) s = s * 256n + BigInt(signature[i] as number)
  s += ORDER
  for (let i = 32; i < 64; i++) {
    out[i] = Number(s & 255n)
    s >>= 8n
  }
  return out
}

/** Kind, envelope, what is wrong. */
const invalidSignatures = async (): Promise<string[][]> => {
  const envelopes = await signBatch(crypto, signer.signer, signer.id, 'receipt', payloadsOf(5))
  const one = envelopes[1] as Envelope
  const wrong: [Partial<Envelope>, string][] = [
    [{ payload: Uint8Array.of(9) }, 'another payload'],
    [{ index: 0 }, 'another place'],
    [{ index: 5 }, 'a place past the end'],
    [{ size: 6 }, 'another size, whose tree has another shape there'],
    [{ size: 8 }, 'another size, whose tree has the same shape there'],
    [{ path: one.path.slice(1) }, 'a path that is too short'],
    [{ path: [...one.path, new Uint8Array(32)] }, 'a path that is too long'],
    [{ path: one.path.toReversed() }, 'a path in reverse'],
    [{ signer: other.id }, 'another signer'],
    [{ signature: new Uint8Array(64) }, 'no signature'],
    [{ signature: malleated(one.signature) }, 'the order of the group added to the second half of the signature'],
  ]
  const rows = wrong.map(([part, why]) => ['receipt', hexOf(encodeCanonical({ ...one, ...part })), why])
  return [...rows, ['invocation', hexOf(encodeCanonical(one)), 'another kind']]
}

/** Head at the start, entries, and the head after each. */
const journalHeads = (): string[][] => {
  const start = new Uint8Array(32).fill(1)
  return [journal, statefulJournal].map((entries) => {
    let head: Uint8Array = start
    const heads = entries.map((entry) => {
      head = journalHead(crypto, head, entry)
      return hexOf(head)
    })
    return [hexOf(start), entries.map((entry) => hexOf(encodeCanonical(entry))).join(' '), heads.join(' ')]
  })
}

/** Lists written by hand: what was appended is frozen. */
export const HAND_WRITTEN = [
  'cbor_invalid.txt',
  'values_valid.txt',
  'values_invalid.txt',
  'peer-ids_valid.txt',
  'peer-ids_invalid.txt',
  'cids_valid.txt',
  'cids_invalid.txt',
  'engine-ids_valid.txt',
  'engine-ids_invalid.txt',
  'tickets_invalid.txt',
]

/** Adds what is missing and returns how much that was. */
export const addVectors = async (): Promise<number> => {
  const messages = validMessages().map(({ name, bytes, content }) => [name, addVector(bytes), content])
  const added = [
    addToList('messages_valid.txt', messages),
    addToList('messages_invalid.txt', invalidMessages()),
    addToList('signatures_valid.txt', await validSignatures()),
    addToList('signatures_invalid.txt', await invalidSignatures()),
    addToList('journal-heads_valid.txt', journalHeads()),
    addToList('tickets_valid.txt', [[ticketToText(signedTicket)]]),
    ...HAND_WRITTEN.map((file) => addToList(file, [])),
  ]
  return added.reduce((sum, count) => sum + count, 0)
}

if (import.meta.main) console.log(`${await addVectors()} lines added`)
