import fc from 'fast-check'
import { decode, encode } from 'it-length-prefixed'
import { describe, expect, test } from 'vitest'
import type { MeshError } from '../../protocol/errors.ts'
import { checkProperty } from '../../scripts/test/seed.ts'
import { FrameSplitter } from './split-frames.ts'

const split = (chunks: Uint8Array[], frameBytesMax = 100_000, frames: Uint8Array[] = []) => {
  const splitter = new FrameSplitter(frameBytesMax)
  for (const chunk of chunks) {
    splitter.push(chunk)
    for (let frame = splitter.next(); frame; frame = splitter.next()) frames.push(frame)
  }
  return frames
}

/** The frames, or the code of the error. */
const outcomeOf = (chunks: Uint8Array[], frameBytesMax: number) => {
  try {
    return split(chunks, frameBytesMax)
  } catch (error) {
    return (error as MeshError).code
  }
}

/** `bytes` in pieces whose lengths are drawn from `cuts`, over and over. */
const cutUp = (bytes: Uint8Array, cuts: readonly number[]) => {
  const pieces: Uint8Array[] = []
  for (let start = 0; start < bytes.length; start += pieces.at(-1)!.length) {
    const length = cuts[pieces.length % cuts.length]!
    pieces.push(bytes.slice(start, start + length))
  }
  return pieces
}

const joined = (frames: Iterable<Uint8Array>) => new Uint8Array(Buffer.concat([...frames]))

describe('frames out of chunks', () => {
  const frames = fc.array(fc.uint8Array({ maxLength: 400, size: 'max' }), { maxLength: 30 })
  const cuts = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 20 })

  test('are those that it-length-prefixed put in, however they are cut up', async () => {
    const property = fc.property(frames, cuts, (sent, lengths) => {
      expect(split(cutUp(joined(encode(sent)), lengths))).toEqual(sent)
    })
    await checkProperty('cut up', property, { runs: 500 })
  })

  test('for any bytes: those that it-length-prefixed takes out, or an error where it has one', async () => {
    const byte = fc.oneof(fc.nat(20), fc.nat(255))
    const stream = fc.array(byte, { maxLength: 200, size: 'max' }).map((bytes) => Uint8Array.from(bytes))
    const property = fc.property(stream, cuts, (bytes, lengths) => {
      const theirs: Uint8Array[] = []
      let refused: unknown
      try {
        for (const frame of decode([bytes], { maxDataLength: 64, maxLengthLength: 4 })) theirs.push(frame.slice())
      } catch (error) {
        refused = (error as Error).name
      }
      const codes = { InvalidDataLengthError: 'E_MESSAGE_LIMIT', InvalidDataLengthLengthError: 'E_MESSAGE' }
      const expected = codes[refused as keyof typeof codes] ?? theirs
      const actual = outcomeOf(cutUp(bytes, lengths), 64)
      // Theirs misreads a length that is longer than it need be, which ours refuses.
      if (actual !== 'E_MESSAGE') expect(actual).toEqual(expected)
    })
    await checkProperty('any bytes', property, { runs: 2000 })
  })

  test('are copies: the chunk may be written over', () => {
    const chunk = Uint8Array.of(2, 7, 7)
    const [frame] = split([chunk])
    chunk.fill(9)
    expect(frame).toEqual(Uint8Array.of(7, 7))
  })

  test('before one that is too long are still given', () => {
    const frames: Uint8Array[] = []
    const error = expect.objectContaining({ code: 'E_MESSAGE_LIMIT' })
    expect(() => split([Uint8Array.of(1, 7, 1, 8, 11)], 10, frames)).toThrow(error)
    expect(frames).toEqual([Uint8Array.of(7), Uint8Array.of(8)])
  })

  test.each([
    ['at the limit', [10, ...new Array(10).fill(0)], 'one'],
    ['above the limit, before any of it has come', [11], 'E_MESSAGE_LIMIT'],
    ['the longest length there is', [0xff, 0xff, 0xff, 0x7f], 'E_MESSAGE_LIMIT'],
    ['a length that does not end', [0x80, 0x80, 0x80, 0x80], 'E_MESSAGE'],
    ['a length that is longer than it need be', [0x81, 0x00, 7], 'E_MESSAGE'],
    ['a length that may still come', [0x80, 0x80, 0x80], 'nothing yet'],
  ])('%s', (_, bytes, code) => {
    const outcome = outcomeOf([Uint8Array.from(bytes)], 10)
    expect(typeof outcome === 'string' ? outcome : ['nothing yet', 'one'][outcome.length]).toBe(code)
  })
})
