import { spawn } from 'node:child_process'
import { once } from 'node:events'

/**
 * Runs a Node program in a process group of its own, its output passed on, and kills the whole group after `limitMs`
 * or when we are told to end. Whatever it left running is killed too. Returns its exit status: null if it was killed.
 */
export const runWithin = async (limitMs: number, args: readonly string[]): Promise<number | null> => {
  const child = spawn(process.execPath, args, { detached: true, stdio: ['ignore', 'inherit', 'inherit'] })
  const exited = once(child, 'exit') as Promise<[number | null]>
  const killGroup = () => {
    try {
      process.kill(-child.pid!, 'SIGKILL')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
  const interrupted = () => {
    killGroup()
    process.exit(130)
  }
  const timer = setTimeout(killGroup, limitMs)
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted)
  const [status] = await exited
  clearTimeout(timer)
  process.off('SIGINT', interrupted).off('SIGTERM', interrupted)
  killGroup()
  return status
}
