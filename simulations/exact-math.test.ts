import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkProperty } from '../scripts/test/seed.ts'
import { acos, exp, ln } from './exact-math.ts'

const isNear = (found: number, right: number, error: number) => Math.abs(found - right) <= error

test('the logarithm is that of a library to the last digits', () =>
  checkProperty(
    'ln',
    fc.property(fc.double({ min: 1e-300, max: 1e300, noNaN: true }), (x) =>
      isNear(ln(x), Math.log(x), 1e-15 * Math.max(1, Math.abs(Math.log(x)))),
    ),
    { runs: 2000 },
  ))

test('so is the exponential, and each undoes the other', () =>
  checkProperty(
    'exp',
    fc.property(
      fc.double({ min: -600, max: 600, noNaN: true }),
      (x) => isNear(exp(x) / Math.exp(x), 1, 1e-12) && isNear(ln(exp(x)), x, 1e-12 * Math.max(1, Math.abs(x))),
    ),
    { runs: 2000 },
  ))

test('so is the arc cosine, at both ends too', async () => {
  expect([acos(1), acos(-1)]).toEqual([0, Math.PI])
  await checkProperty(
    'acos',
    fc.property(fc.double({ min: -1, max: 1, noNaN: true }), (x) => isNear(acos(x), Math.acos(x), 1e-14)),
    { runs: 2000 },
  )
})

test('one bit is as good as another: these are the same on any engine', () => {
  const bits = (x: number) => new BigUint64Array(Float64Array.of(x).buffer)[0]?.toString(16)
  const figures = [ln(0.1), ln(3), exp(-1), exp(2.5), acos(0.3)]
  const right = ['c0026bb1bbb55515', '3ff193ea7aad030a', '3fd78b56362cef39', '40285d6fd931e0bd', '3ff441f5ecbeef59']
  expect(figures.map(bits)).toEqual(right)
})
