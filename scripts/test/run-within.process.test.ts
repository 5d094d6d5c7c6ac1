import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { isAlive } from './is-alive.ts'
import { runWithin } from './run-within.ts'

test('gives the exit status of a program that ends in time', async () => {
  expect(await runWithin(20_000, ['-e', 'process.exit(7)'])).toBe(7)
})

test('kills a program that does not', async () => {
  const startedAt = performance.now()
  expect(await runWithin(300, ['-e', 'setInterval(() => {}, 1000)'])).toBe(null)
  expect(performance.now() - startedAt).toBeLessThan(10_000)
})

test('leaves nothing running that the program had started', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'wayside-within-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const pidFile = join(directory, 'pid')
  const program = `
    const child = require('node:child_process').spawn('sleep', ['600'], { stdio: 'ignore' })
    require('node:fs').writeFileSync(${JSON.stringify(pidFile)}, String(child.pid))
    child.unref()`
  expect(await runWithin(20_000, ['-e', program])).toBe(0)
  const pid = Number(readFileSync(pidFile, 'utf8'))
  expect(pid).toBeGreaterThan(1)
  await expect.poll(() => isAlive(pid)).toBe(false)
})
