import { expect, test } from 'vitest'
import { saidSlowness, slownessAfter, typicalSpeed } from './experience.ts'

test('what a peer says of its speed counts only as far as it makes it slow', () => {
  const typical = 20_000
  const said = [0, 1e12, 2 * typical, typical, typical / 2, typical / 10]
  expect(said.map((speed) => saidSlowness(speed, typical))).toEqual([1, 1, 1, 1, 2, 10])
})

test('nobody is believed to be slower than anybody may be seen to be', () => {
  expect(saidSlowness(1, 20_000)).toBe(50)
  expect(slownessAfter(50, 1e9, 1)).toBe(50)
})

test('where nobody else says anything, nobody is slow', () => {
  expect(typicalSpeed(new Float64Array())).toBe(0)
  expect(saidSlowness(10, typicalSpeed(Float64Array.of(10)))).toBe(1)
})

test.each([1, 1e12])(
  'fewer than half of those who say %d do not move the typical speed past that of the others',
  (lie) => {
    const honest = [18_000, 30_000, 22_000]
    const typical = typicalSpeed(Float64Array.from([...honest, lie, lie]))
    expect(honest).toContain(typical)
  },
)

test('what is seen takes over from what was said', () => {
  let slowness = saidSlowness(1, 20_000)
  for (let run = 0; run < 80; run++) slowness = slownessAfter(slowness, 100, 100)
  expect(slowness).toBeCloseTo(1, 1)
})
