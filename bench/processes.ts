/** Child processes of a benchmark: started, spoken to, and ended by it. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const running = new Set<ChildProcess>()

/** Starts a module of this folder; resolves with its first message. */
export const start = async <T>(
  file: string,
  args: readonly string[] = [],
): Promise<{ child: ChildProcess; ready: T }> => {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), args, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  running.add(child)
  child.once('exit', () => running.delete(child))
  const [ready] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`${file} ended with ${code} before it was ready`)
    }),
  ])) as [T]
  return { child, ready }
}

export const stop = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const patience = setTimeout(() => child.kill('SIGKILL'), 3000)
  await ended
  clearTimeout(patience)
}

export const stopAll = async (): Promise<void> => {
  await Promise.all([...running].map(stop))
}
