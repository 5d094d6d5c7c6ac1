/** Memory of this process that it shares with none, after a collection (`--expose-gc`). Linux only. */
import { readFileSync } from 'node:fs'

export const privateKib = (): number => {
  for (let i = 0; i < 3; i++) globalThis.gc?.()
  const rollup = readFileSync('/proc/self/smaps_rollup', 'latin1')
  const of = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(rollup)?.[1])
  return of('Private_Dirty') + of('Private_Clean')
}
