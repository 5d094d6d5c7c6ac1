/** What Linux tells of processes (proc(5)). One that has ended, also while it is read, is not there: never an error. */
import { readdirSync, readFileSync } from 'node:fs'

/** `ENOENT`: it had ended before it was looked at; `ESRCH`: it ended between that and the reading. */
const orGone = <T>(read: () => T): T | undefined => {
  try {
    return read()
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (['ENOENT', 'ESRCH'].includes(code)) return undefined
    throw error
  }
}

/** What a file (or an open one) tells of a process or thread; undefined once that has ended. */
export const textOf = (file: string | number): string | undefined => orGone(() => readFileSync(file, 'latin1'))

/** The threads of a process; none once it has ended. */
export const threadIdsOf = (pid: number): number[] => (orGone(() => readdirSync(`/proc/${pid}/task`)) ?? []).map(Number)

/** The fields of /proc/PID/stat from the state on, the third: the program's name before it may hold any character. */
export const statOf = (pid: number): string[] =>
  textOf(`/proc/${pid}/stat`)
    ?.replace(/^.*\) /s, '')
    .split(' ') ?? []

/** The processes that run now, by the one that has started each. One that nobody has reaped does not run. */
const byParent = (): Map<number, number[]> => {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    if (Number.isNaN(pid)) continue
    const [state = 'X', parent] = statOf(pid)
    if (!'ZX'.includes(state)) children.set(Number(parent), [...(children.get(Number(parent)) ?? []), pid])
  }
  return children
}

/** The processes that `pid` has started, as far as they still run. */
export const childrenOf = (pid: number): number[] => byParent().get(pid) ?? []

/** Those, and what they have started, and so on. */
export const descendantsOf = (pid: number): number[] => {
  const children = byParent()
  const below = (parent: number): number[] => (children.get(parent) ?? []).flatMap((child) => [child, ...below(child)])
  return below(pid)
}
