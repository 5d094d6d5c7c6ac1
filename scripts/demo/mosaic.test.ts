import { expect, test } from 'vitest'
import { foreground } from './canvas.ts'
import { byAgent, FOUND, MEMO, Mosaic, WRONG } from './mosaic.ts'

const RED = foreground([255, 30, 30])
const WHITE = foreground([255, 255, 255])

test('has no more lines than it is given, each of as many columns', () => {
  for (const [tasks, columns, lines] of [
    [20_000, 119, 31],
    [20_000, 79, 4],
    [10, 119, 31],
  ] as const) {
    const drawn = new Mosaic(tasks).lines(columns, lines)
    expect(drawn.length).toBeLessThanOrEqual(lines)
    for (const line of drawn) expect(line.split('▀')).toHaveLength(columns + 1)
  }
})

test('a wrong answer shows among others in its pixel, and changes when it is found', () => {
  const mosaic = new Mosaic(100)
  for (let task = 0; task < 100; task++) mosaic.set(task, task % 2 ? MEMO : byAgent(1))
  mosaic.set(7, WRONG)
  expect(mosaic.lines(2, 1).join('')).toContain(RED)
  mosaic.set(7, FOUND)
  expect(mosaic.lines(2, 1).join('')).not.toContain(RED)
  expect(mosaic.lines(2, 1).join('')).toContain(WHITE)
})

test('tasks beyond those that it shows are left out', () => {
  const mosaic = new Mosaic(4)
  mosaic.set(4, WRONG)
  expect(mosaic.lines(2, 1).join('')).not.toContain(RED)
})
