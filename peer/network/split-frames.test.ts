import fc from 'fast-check'
import { decode, encode } from 'it-length-prefixed'
import { describe, expect, test } from 'vitest'
import { checkProperty } from '../../scripts/test/seed.ts'
import { splitFrames } from './split-frames.ts'

const split = async (chunks: Uint8Array[], frameBytesMax = 100_000) => {
  const frames: Uint8Array[] = []
  const source = (async function* () {
    yield* chunks
  })()
  for await (const batch of splitFrames(frameBytesMax)(source)) frames.push(...batch)
  return frames
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
    const property = fc.asyncProperty(frames, cuts, async (sent, lengths) => {
      expect(await split(cutUp(joined(encode(sent)), lengths))).toEqual(sent)
    })
    await checkProperty('cut up', property, { runs: 500 })
  })

  test('for any bytes: those that it-length-prefixed takes out, or an error where it has one', async () => {
    const byte = fc.oneof(fc.nat(20), fc.nat(255))
    const stream = fc.array(byte, { maxLength: 200, size: 'max' }).map((bytes) => Uint8Array.from(bytes))
    const property = fc.asyncProperty(stream, cuts, async (bytes, lengths) => {
      const theirs: Uint8Array[] = []
      let refused: unknown
      try {
        for (const frame of decode([bytes], { maxDataLength: 64, maxLengthLength: 4 })) theirs.push(frame.slice())
      } catch (error) {
        refused = (error as Error).name
      }
      const ours = split(cutUp(bytes, lengths), 64).catch((error) => error.code)
      const codes = { InvalidDataLengthError: 'E_MESSAGE_LIMIT', InvalidDataLengthLengthError: 'E_MESSAGE' }
      const expected = codes[refused as keyof typeof codes] ?? theirs
      const actual = await ours
      // Theirs misreads a length that is longer than it need be, which ours refuses.
      if (actual !== 'E_MESSAGE') expect(actual).toEqual(expected)
    })
    await checkProperty('any bytes', property, { runs: 2000 })
  })

  test('are copies: the chunk may be written over', async () => {
    const chunk = Uint8Array.of(2, 7, 7)
    const [frame] = await split([chunk])
    chunk.fill(9)
    expect(frame).toEqual(Uint8Array.of(7, 7))
  })

  test('before one that is too long are still given', async () => {
    const taken: number[] = []
    const source = (async function* () {
      yield Uint8Array.of(1, 7, 1, 8, 11)
    })()
    const reading = (async () => {
      for await (const batch of splitFrames(10)(source)) for (const frame of batch) taken.push(frame[0]!)
    })()
    await expect(reading).rejects.toMatchObject({ code: 'E_MESSAGE_LIMIT' })
    expect(taken).toEqual([7, 8])
  })

  test.each([
    ['at the limit', [10, ...new Array(10).fill(0)], 'one'],
    ['above the limit, before any of it has come', [11], 'E_MESSAGE_LIMIT'],
    ['the longest length there is', [0xff, 0xff, 0xff, 0x7f], 'E_MESSAGE_LIMIT'],
    ['a length that does not end', [0x80, 0x80, 0x80, 0x80], 'E_MESSAGE'],
    ['a length that is longer than it need be', [0x81, 0x00, 7], 'E_MESSAGE'],
    ['a length that may still come', [0x80, 0x80, 0x80], 'nothing yet'],
  ])('%s', async (_, bytes, code) => {
    const outcome = await split([Uint8Array.from(bytes)], 10).catch((error) => error)
    expect(outcome.code ?? ['nothing yet', 'one'][outcome.length]).toBe(code)
  })
})
