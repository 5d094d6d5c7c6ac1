/**
 * Everything that strangers send, each changed a little 50,000 times: the same bytes back, or a refusal with a code. The frames
 * are in `fuzz-frames.test.ts`; `npm run fuzz` begins with 100,000 of each.
 */
import * as library from '@ipld/dag-cbor'
import { describe, expect, test } from 'vitest'
import { readCrashers } from '../scripts/protocol/crashers.ts'
import { fuzzTarget, tryInput } from '../scripts/protocol/fuzz-target.ts'
import { TARGETS, type Target } from '../scripts/protocol/targets.ts'
import { INPUTS, isFrame, testTargets } from '../scripts/protocol/testing/fuzz.ts'
import { seedFor } from '../scripts/test/seed.ts'
import { MeshError } from './errors.ts'

testTargets(TARGETS.filter((target) => !isFrame(target)))

test.each(readCrashers())('what once broke a reader is refused or read by all: $name', async ({ bytes }) => {
  for (const target of TARGETS)
    expect([target.name, (await tryInput(target, bytes)).why]).toEqual([target.name, undefined])
})

describe('finds a reader that', () => {
  const [good] = TARGETS.filter(({ name }) => name === 'frame failed') as [Target]

  const crashersOf = async (reader: Partial<Target>) => {
    const { crashers } = await fuzzTarget({ ...good, ...reader }, seedFor('planted'), INPUTS)
    return crashers.map(({ why }) => why)
  }

  test('takes bytes that are not canonical', async () => {
    const decode = (bytes: Uint8Array) => {
      try {
        return library.decode(bytes)
      } catch (cause) {
        throw new MeshError('E_MESSAGE', 'no CBOR', { cause })
      }
    }
    const whys = await crashersOf({ decode, encode: (x) => library.encode(x) })
    expect(new Set(whys)).toContain('accepted, and written to other bytes')
  })

  test('drops what it does not know', async () => {
    const decode = (bytes: Uint8Array) => {
      const read = good.decode(bytes) as { ids: number[] }
      return { ...read, ids: read.ids.slice(0, 2) }
    }
    expect(await crashersOf({ decode })).toContain('accepted, and written to other bytes')
  })

  test('throws something else, or another code', async () => {
    const throwing = (error: Error) => (bytes: Uint8Array) => {
      if (bytes.length % 64 === 0) throw error
      return good.decode(bytes)
    }
    expect(await crashersOf({ decode: throwing(new TypeError('x is undefined')) })).toContain(
      'threw TypeError: x is undefined',
    )
    expect(await crashersOf({ decode: throwing(new MeshError('E_INTERNAL', 'oh')) })).toContain('threw MeshError: oh')
  })
})
