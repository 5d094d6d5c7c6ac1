/** What holds for every message and every type of frame, derived from its schema. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { arbitraryOf } from '../scripts/protocol/arbitraries.ts'
import { leastOf, limitCases } from '../scripts/protocol/limit-cases.ts'
import { MESSAGE_CASES, type MessageCase } from '../scripts/protocol/targets.ts'
import { checkProperty } from '../scripts/test/seed.ts'
import { encodeCanonical } from './codec.ts'
import { MeshError } from './errors.ts'
import { MESSAGE_ITEMS_MAX } from './limits.ts'

/** The error with which `message` refuses `bytes`; undefined if it accepts them. */
const refusalOf = ({ message }: MessageCase, bytes: Uint8Array): MeshError | undefined => {
  try {
    message.decode(bytes)
    return undefined
  } catch (error) {
    if (error instanceof MeshError) return error
    throw error
  }
}

describe.each(MESSAGE_CASES)('$name', (one) => {
  const { name, message, schema } = one

  test('comes back as it was', () =>
    checkProperty(
      `round trip ${name}`,
      fc.property(arbitraryOf(schema), (x) => {
        const bytes = message.encode(x)
        expect(message.decode(bytes)).toEqual(x)
        expect(message.encode(message.decode(bytes))).toEqual(bytes)
      }),
      { runs: 200 },
    ))

  test('takes what is at each limit, and refuses what is past it, saying where', () => {
    const seen = { good: 0, bad: 0 }
    for (const { path, good, bad } of limitCases(schema)) {
      for (const x of good) {
        const bytes = message.encode(x)
        expect([path, refusalOf(one, bytes)?.code]).toEqual([
          path,
          bytes.length > message.bytesMax ? 'E_MESSAGE_LIMIT' : undefined,
        ])
        seen.good++
      }
      for (const x of bad) {
        const bytes = message.encode(x)
        const refusal = refusalOf(one, bytes)
        expect([path, refusal?.code]).toEqual([path, bytes.length > message.bytesMax ? 'E_MESSAGE_LIMIT' : 'E_MESSAGE'])
        if (refusal?.code === 'E_MESSAGE')
          expect(`${refusal.message}.`).toContain(path === '' ? message.name : `.${path}`)
        seen.bad++
      }
    }
    expect(seen.good).toBeGreaterThan(0)
    expect(seen.bad).toBeGreaterThan(10)
  })

  test('has a limit of its own in bytes', () => {
    const error = refusalOf(one, new Uint8Array(message.bytesMax + 1))
    expect(error?.code).toBe('E_MESSAGE_LIMIT')
    expect(error?.message).toBe(`${message.name}: ${message.bytesMax + 1} bytes, over the limit of ${message.bytesMax}`)
    expect(refusalOf(one, new Uint8Array(message.bytesMax))?.code).toBe('E_MESSAGE')
  })

  test('refuses every other message', () => {
    for (const other of MESSAGE_CASES) {
      const bytes = other.message.encode(leastOf(other.schema))
      if (other.message !== message)
        expect([other.name, refusalOf(one, bytes)?.code]).toEqual([other.name, 'E_MESSAGE'])
    }
  })

  test('refuses things that are no record at all', () => {
    for (const x of [null, true, 0, 'x', [], {}, new Uint8Array(3), [leastOf(schema)]])
      expect(refusalOf(one, encodeCanonical(x))?.code).toBe('E_MESSAGE')
  })
})

const LARGE = MESSAGE_CASES.filter(({ message }) => message.bytesMax > 2 * MESSAGE_ITEMS_MAX)

test.each(LARGE)('$name has a limit in items, met before they are all read', (one) => {
  const listOf = (count: number) => encodeCanonical(Array(count).fill(0))
  expect(refusalOf(one, listOf(MESSAGE_ITEMS_MAX - 1))?.code).toBe('E_MESSAGE')
  expect(refusalOf(one, listOf(MESSAGE_ITEMS_MAX))?.message).toBe(
    `${one.message.name}: over 262144 items; byte ${MESSAGE_ITEMS_MAX + 4} begins one more`,
  )
  // What follows the last item that may be there is not looked at.
  expect(refusalOf(one, listOf(MESSAGE_ITEMS_MAX).fill(0xff, -1))?.code).toBe('E_MESSAGE_LIMIT')
})

test('all versioned records say version 1, and no other is read', () => {
  const versioned = MESSAGE_CASES.filter(({ schema }) => schema.entries?.v)
  expect(versioned.map(({ name }) => name)).toEqual([
    ...[
      'genesis',
      'membership',
      'ticket',
      'revocation',
      'manifest',
      'task',
      'invocation',
      'receipt',
      'journal head',
      'outcome',
      'advertisement',
    ],
    'receipt file',
    'delegation',
    'tally',
  ])
  for (const one of versioned) {
    const least = leastOf(one.schema) as object
    expect(refusalOf(one, one.message.encode(least))).toBeUndefined()
    for (const v of [0, 2, '1', null, true])
      expect(refusalOf(one, one.message.encode({ ...least, v }))?.message).toContain(`${one.name}.v`)
  }
})
