/** The frozen version 1: what every later version must still read, write and refuse. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Schema } from '../scripts/protocol/arbitraries.ts'
import { contentFromJson, contentToJson } from '../scripts/protocol/content-json.ts'
import { MESSAGE_CASES } from '../scripts/protocol/targets.ts'
import { crypto, testPeer } from '../scripts/protocol/test-keys.ts'
import { frozenFiles, readList, readVector, thawed } from '../scripts/protocol/vector-files.ts'
import { addVectors, HAND_WRITTEN, validMessages } from '../scripts/protocol/vectors.ts'
import { ensureCid, isCidText, rawCid, recordCid } from './cid.ts'
import { decodeCanonical, encodeCanonical } from './codec.ts'
import { envelope, openBatch, type SignedKind, signBatch, verifyEnvelope } from './envelope.ts'
import { isPeerId, peerIdFromPublicKey, publicKeyOf } from './identity.ts'
import { type JournalEntry, journalHead } from './journal.ts'
import { ticketFromText, ticketToText } from './mesh.ts'
import { engineId, ensureShape } from './schema.ts'
import { decodeValue, encodeValue, valueFromJson, valueToJson } from './values.ts'

const hex = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'))
const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const caseOf = (name: string) => {
  const found = MESSAGE_CASES.find((one) => one.name === name)
  if (!found) throw new Error(`no message ${name}; it was in version 1`)
  return found
}
const code = (expected: string) => expect.objectContaining({ code: expected })

describe('messages', () => {
  test.each(readList('messages_valid.txt'))('%s %s', (name = '', cid = '', content = '') => {
    const { message } = caseOf(name)
    const bytes = readVector(cid)
    expect(message.encode(message.decode(bytes))).toEqual(bytes)
    expect(contentToJson(decodeCanonical(bytes))).toBe(content)
    expect(encodeCanonical(contentFromJson(content))).toEqual(bytes)
  })

  test.each(readList('messages_invalid.txt'))('%s: %s for %#', (name = '', expected = '', bytes = '') => {
    expect(() => caseOf(name).message.decode(hex(bytes))).toThrow(code(expected))
  })

  test('have a valid vector each, with every list filled, every branch taken, and every field', () => {
    const contents = new Map<string, unknown[]>()
    for (const [name = '', cid = ''] of readList('messages_valid.txt'))
      contents.set(name, [...(contents.get(name) ?? []), decodeCanonical(readVector(cid))])
    for (const { name, schema } of MESSAGE_CASES)
      expect([name, unseen(schema, contents.get(name) ?? [])]).toEqual([name, []])
  })

  test('have invalid vectors each', () => {
    const names = new Set(readList('messages_invalid.txt').map(([name]) => name))
    expect(MESSAGE_CASES.map(({ name }) => name).filter((name) => !names.has(name))).toEqual([])
  })
})

/** What of a schema no content shows. */
const unseen = (schema: Schema, contents: readonly unknown[]): string[] => {
  if (contents.length === 0) return ['nothing there']
  if (schema.type === 'array') return unseen(schema.item as Schema, (contents as unknown[][]).flat())
  const records = contents as Record<string, unknown>[]
  if (schema.type === 'variant')
    return (schema.options as Schema[]).flatMap((option) =>
      unseen(
        option,
        records.filter((x) => fits(option, x)),
      ),
    )
  return Object.entries(schema.entries ?? {}).flatMap(([key, one]) =>
    unseen(
      one.wrapped ?? one,
      records.flatMap((x) => (one.wrapped && !(key in x) ? [] : [x[key]])),
    ).map((path) => `${key}: ${path}`),
  )
}

/** Is `x` of this branch? Its literal fields tell. */
const fits = (option: Schema, x: Record<string, unknown>): boolean =>
  Object.entries(option.entries ?? {}).every(([key, one]) => one.type !== 'literal' || x[key] === one.literal)

describe('signatures', () => {
  const signer = testPeer(1)

  test.each(readList('signatures_valid.txt'))(
    '%s by %s over %s',
    async (kind, id = '', payloads = '', signature = '', paths) => {
      const batch = { payloads: payloads.split(' ').map(hex), signature: hex(signature) }
      const opened = await openBatch(crypto, id, kind as SignedKind, batch)
      for (const one of opened) await verifyEnvelope(crypto, kind as SignedKind, one)
      expect(opened.map(({ path }) => path.map(hexOf).join(',') || '-').join(' ')).toBe(paths)
      expect(await signBatch(crypto, signer.signer, signer.id, kind as SignedKind, batch.payloads)).toEqual(opened)
    },
  )

  test.each(readList('signatures_invalid.txt'))('%s with %#', async (kind, bytes = '') => {
    const signed = ensureShape('envelope', envelope(1024), decodeCanonical(hex(bytes)))
    await expect(verifyEnvelope(crypto, kind as SignedKind, signed)).rejects.toEqual(code('E_SIGNATURE'))
  })
})

test.each(readList('journal-heads_valid.txt'))('journal heads from %s', (start = '', entries = '', heads) => {
  let head = hex(start)
  const seen = entries.split(' ').map((entry) => {
    head = Uint8Array.from(journalHead(crypto, head, decodeCanonical(hex(entry)) as JournalEntry))
    return hexOf(head)
  })
  expect(seen.join(' ')).toBe(heads)
})

describe('values', () => {
  test.each(readList('values_valid.txt'))('%s', (json = '', bytes = '') => {
    const value = valueFromJson(json)
    expect(hexOf(encodeValue(value))).toBe(bytes)
    expect(decodeValue(hex(bytes))).toEqual(value)
    expect(valueFromJson(valueToJson(decodeValue(hex(bytes))))).toEqual(value)
  })

  test.each(readList('values_invalid.txt'))('not %s', (json = '') => {
    expect(() => valueFromJson(json)).toThrow(code('E_INPUT'))
  })

  test.each(readList('cbor_invalid.txt'))('not %s: %s', (bytes = '') => {
    expect(() => decodeValue(hex(bytes))).toThrow(code('E_MESSAGE'))
  })
})

describe('syntaxes', () => {
  test.each(readList('peer-ids_valid.txt'))('PeerId %s', (text = '', key = '') => {
    expect(isPeerId(text)).toBe(true)
    expect(hexOf(publicKeyOf(text))).toBe(key)
    expect(peerIdFromPublicKey(hex(key))).toBe(text)
  })

  test.each(readList('peer-ids_invalid.txt'))('no PeerId %s: %s', (text = '') => {
    expect(isPeerId(text)).toBe(false)
    expect(() => publicKeyOf(text)).toThrow(code('E_MESSAGE'))
  })

  test.each(readList('cids_valid.txt'))('CID %s', (text = '', bytes = '') => {
    const cid = ensureCid(text)
    expect([rawCid(crypto, hex(bytes)).toString(), recordCid(crypto, hex(bytes)).toString()]).toContain(text)
    expect(cid.toString()).toBe(text)
  })

  test.each(readList('cids_invalid.txt'))('no CID %s: %s', (text = '') => {
    expect(isCidText(text)).toBe(false)
    expect(() => ensureCid(text)).toThrow(code('E_USAGE'))
  })

  test.each(readList('engine-ids_valid.txt'))('engine ID %s', (text = '') => {
    expect(ensureShape('engine', engineId(), text)).toBe(text)
  })

  test.each(readList('engine-ids_invalid.txt'))('no engine ID %s: %s', (text = '') => {
    expect(() => ensureShape('engine', engineId(), text)).toThrow(code('E_MESSAGE'))
  })

  test.each(readList('tickets_valid.txt'))('ticket %s', async (text = '') => {
    const { ticket, signed } = await ticketFromText(crypto, text, 0)
    expect(ticketToText(signed)).toBe(text)
    await expect(ticketFromText(crypto, text, ticket.expires_ms)).rejects.toEqual(code('E_TICKET_EXPIRED'))
  })

  test.each(readList('tickets_invalid.txt'))('no ticket %s: %s', async (text = '') => {
    await expect(ticketFromText(crypto, text, 0)).rejects.toEqual(code('E_TICKET'))
  })
})

describe('the folder', () => {
  test('holds what was frozen, unchanged', () => {
    expect(thawed()).toEqual([])
    const files = readdirSync(join(import.meta.dirname, 'vectors')).filter((file) => /_(in)?valid\.txt$/.test(file))
    expect([...frozenFiles().keys()].sort()).toEqual(files.sort())
    expect(files).toEqual(expect.arrayContaining(HAND_WRITTEN))
  })

  test('names every binary vector in a list, and each by the CID of its bytes', () => {
    const listed = readList('messages_valid.txt').map(([, cid]) => `${cid}.cbor`)
    const files = readdirSync(join(import.meta.dirname, 'vectors')).filter((file) => file.endsWith('.cbor'))
    expect(files.sort()).toEqual([...new Set(listed)].sort())
    for (const [, cid = ''] of readList('messages_valid.txt')) readVector(cid)
  })

  test('has what the examples give; `node scripts/protocol/vectors.ts` adds it', async () => {
    const rows = new Set(readList('messages_valid.txt').map((row) => row.join('\t')))
    for (const { name, bytes, content } of validMessages())
      expect(rows).toContain([name, rawCid(crypto, bytes).toString(), content].join('\t'))
    expect(await addVectors()).toBe(0)
  })
})
