import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { expect, onTestFinished, test } from 'vitest'
import { threadsOf } from './browser/renderers.ts'
import { childrenOf, descendantsOf, statOf, textOf, threadIdsOf } from './processes.ts'

/** Starts a program, and waits until it says something. */
const started = async (file: string, ...args: string[]) => {
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [line] = await once(createInterface(child.stdout), 'line')
  return { child, pid: child.pid as number, line: line as string }
}

// Nothing else has /proc.
if (process.platform === 'linux') {
  test('what a process has started is found, and what that has started', async () => {
    const { pid, line } = await started('sh', '-c', 'sleep 600 & echo $!; wait')
    onTestFinished(() => void process.kill(Number(line), 'SIGKILL'))
    expect(childrenOf(process.pid)).toContain(pid)
    expect(childrenOf(pid)).toEqual([Number(line)])
    expect(descendantsOf(process.pid)).toEqual(expect.arrayContaining([pid, Number(line)]))
  })

  test('one that ended and that its parent did not reap is not among them', async () => {
    const { pid, line } = await started('sh', '-c', 'sleep 0.1 & echo $!; exec sleep 600')
    await expect.poll(() => childrenOf(pid)).toEqual([])
    expect(() => process.kill(Number(line), 0)).not.toThrow()
  })

  test('one that has ended is not there, also when it ends while it is read', async () => {
    const { child, pid } = await started('sh', '-c', 'echo ready; exec sleep 600')
    const open = openSync(`/proc/${pid}/stat`, 'r')
    expect(threadIdsOf(pid)).toEqual([pid])
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect([textOf(open), textOf(`/proc/${pid}/stat`)]).toEqual([undefined, undefined])
    expect([statOf(pid), threadIdsOf(pid), threadsOf(pid), childrenOf(pid)]).toEqual([[], [], [], []])
    closeSync(open)
  })

  test('what cannot be read for another reason is an error', () => {
    expect(() => textOf('/proc/self')).toThrow('EISDIR')
  })

  test('processes and threads that begin and end meanwhile disturb nobody', async () => {
    const program = `
      const begin = () => new (require('worker_threads').Worker)('', { eval: true }).once('exit', begin)
      begin()
      require('child_process').spawn('sh', ['-c', 'echo ready; while :; do sh -c "true & true & wait"; done'], { stdio: 'inherit' })`
    const { pid } = await started(process.execPath, '--eval', program)
    onTestFinished(() => {
      for (const child of childrenOf(pid)) process.kill(child, 'SIGKILL')
    })
    for (let n = 0; n < 100; n++) {
      const all = [pid, ...descendantsOf(pid)]
      expect(all.length).toBeGreaterThan(1)
      for (const one of all) expect(threadsOf(one).every(({ ranMs }) => ranMs >= 0)).toBe(true)
    }
  })
}
