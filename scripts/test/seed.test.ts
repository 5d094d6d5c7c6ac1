import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkProperty, randomFor, readSeed, seed, seedFor } from './seed.ts'

const HERE = 'scripts/test/seed.test.ts'

describe('readSeed', () => {
  test('takes the seed that a failed test printed', () => {
    expect(readSeed('0')).toBe(0)
    expect(readSeed('4294967295')).toBe(4294967295)
  })

  test('draws fresh ones without it', () => {
    const seeds = Array.from({ length: 4 }, () => readSeed(undefined))
    expect(new Set(seeds).size).toBeGreaterThan(1)
    for (const drawn of seeds) expect(drawn >>> 0).toBe(drawn)
  })

  test.each(['x', '-1', '1.5', '4294967296', '1e3', ' '])('refuses %j and says what to give', (text) => {
    expect(() => readSeed(text)).toThrow(/WAYSIDE_SEED=.* is no seed: give an integer from 0 to 4294967295/)
  })
})

describe('seedFor and randomFor', () => {
  test('give the same for the same name, within one run', () => {
    expect(seedFor('a')).toBe(seedFor('a'))
    expect(seedFor('a')).not.toBe(seedFor('b'))
    expect(randomFor('a').bytes(16)).toEqual(randomFor('a').bytes(16))
  })
})

describe('checkProperty', () => {
  const falsified = async (name: string) => {
    const failing = fc.property(fc.integer(), (n) => n < 1000)
    return String(await checkProperty(name, failing).catch((error: Error) => error.message))
  }

  test('passes what holds, and runs it as often as asked', async () => {
    let ran = 0
    await checkProperty(
      'counts',
      fc.property(fc.nat(), () => void ran++),
      { runs: 37 },
    )
    expect(ran).toBe(37)
  })

  test('names the shrunk counterexample and the line that replays it', async () => {
    const message = await falsified('shrinks')
    expect(message).toContain('Counterexample: [1000]')
    expect(message).toContain(`WAYSIDE_SEED=${seed()} npm test -- ${HERE}`)
  })

  test('finds the same counterexample by the same path again', async () => {
    expect(await falsified('again')).toBe(await falsified('again'))
  })

  test('awaits asynchronous properties and keeps the error as cause', async () => {
    const boom = new Error('boom')
    const failing = fc.asyncProperty(fc.nat(), async () => {
      await undefined
      throw boom
    })
    const error = await checkProperty('async', failing).catch((caught: Error) => caught)
    expect(error).toMatchObject({ cause: boom })
  })
})
