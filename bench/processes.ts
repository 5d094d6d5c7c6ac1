/** Child processes of a benchmark: started, spoken to, and ended by it. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const running = new Set<ChildProcess>()

/** Starts a module of this folder under Node's `flags`; resolves with its first message. */
export const start = async <T>(
  file: string,
  args: readonly string[] = [],
  flags: readonly string[] = [],
): Promise<{ child: ChildProcess; ready: T }> => {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), args, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    execArgv: [...flags],
  })
  running.add(child)
  child.once('exit', () => running.delete(child))
  return { child, ready: await nextOf<T>(child) }
}

/** What it sends next. Throws if it ends before. */
const nextOf = async <T>(child: ChildProcess): Promise<T> => {
  const settled = new AbortController()
  const { signal } = settled
  // Not 'exit', which may come before the last message has been read.
  const ended = once(child, 'disconnect', { signal }).then(() => {
    throw new Error(`${child.spawnargs.join(' ')} ended before it answered`)
  })
  try {
    return ((await Promise.race([once(child, 'message', { signal }), ended])) as [T])[0]
  } finally {
    ended.catch(() => {})
    settled.abort()
  }
}

/** In a child process: its one message. Whoever disconnects before a long one has left takes it back. */
export const say = (message: unknown): void => {
  process.send?.(message, () => process.disconnect?.())
}

/** Sends `child` a message, and resolves with the next that it sends. Throws if it ends before. */
export const ask = async <T>(child: ChildProcess, message: string): Promise<T> => {
  const answer = nextOf<T>(child)
  child.send(message)
  return answer
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
