import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { isAlive } from './is-alive.ts'

test('a process is alive until it ends', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
  expect(isAlive(child.pid!)).toBe(true)
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(isAlive(child.pid!)).toBe(false)
})

// Elsewhere nothing tells the two apart.
if (process.platform === 'linux')
  test('one that ended and that its parent did not reap is not alive', async () => {
    // The shell starts a child, and before that ends becomes a program that never waits for it.
    const shell = spawn('sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 600'], { stdio: ['ignore', 'pipe', 'ignore'] })
    const [pid] = await once(shell.stdout, 'data')
    await expect.poll(() => isAlive(Number(pid))).toBe(false)
    expect(() => process.kill(Number(pid), 0)).not.toThrow()
    shell.kill('SIGKILL')
    await once(shell, 'exit')
  })
