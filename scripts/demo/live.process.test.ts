import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, test } from 'vitest'

test('without a terminal, frames come from agents, also after one was killed', async () => {
  const main = join(import.meta.dirname, 'main.ts')
  const child = spawn(process.execPath, [main, '--live'], { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    said += text
  })
  const [code] = await once(child, 'close')
  const figures = JSON.parse(said.trim().split('\n').at(-1) as string)
  expect(code).toBe(0)
  expect(figures).toMatchObject({ frames: 40, width: 320, height: 180 })
  expect(figures.killed_pids).toHaveLength(1)
  expect(said).toMatch(/agent \d was killed/)
  // Some frames come when newer ones are shown already: the tenth of the way at which a line is due may be before the kill.
  expect(said).toMatch(/frames\/s of 320 × 180, frame \d+/)
  expect(figures.frames_per_s).toBeGreaterThan(0)
})
