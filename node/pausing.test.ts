import { expect, test } from 'vitest'
import { FakeClock } from '../simulations/clock.ts'
import { Pausing } from './pausing.ts'

const start = () => {
  const clock = new FakeClock()
  const told: (number | 'resume')[] = []
  const pausing = new Pausing(clock, { pause: (ms) => told.push(ms), resume: () => told.push('resume') })
  return { clock, told, pausing }
}

test('on battery until the power is back', () => {
  const { told, pausing } = start()
  pausing.power(true)
  expect(pausing.reason).toBe('battery')
  pausing.power(false)
  expect(pausing.reason).toBe(null)
  expect(told).toEqual([Number.POSITIVE_INFINITY, 'resume'])
})

test('what the owner said still holds when the power is back', async () => {
  const { clock, told, pausing } = start()
  pausing.pause(10_000)
  pausing.power(true)
  await clock.advance(4000)
  pausing.power(false)
  expect(told).toEqual([10_000, Number.POSITIVE_INFINITY, 6000])
  expect(pausing.reason).toBe('owner')
  await clock.advance(6000)
  expect(pausing.reason).toBe(null)
})

test('the owner resumes, on battery too, until the power goes the next time', () => {
  const { told, pausing } = start()
  pausing.power(true)
  pausing.resume()
  expect(pausing.reason).toBe(null)
  pausing.pause(undefined)
  expect(pausing.reason).toBe('owner')
  pausing.resume()
  pausing.power(false)
  pausing.power(true)
  expect(pausing.reason).toBe('battery')
  expect(told.at(-1)).toBe(Number.POSITIVE_INFINITY)
})
