/** Which of several parts stands at a place: told by the few bytes in which their leads differ. */
import { MISFIT, type Part } from './compiled-layout.ts'
import { MeshError } from './errors.ts'

/** The only part that may begin at `at`; whether it does, its lead tells. Throws MISFIT if there is none. */
export type Choice<P> = (bytes: Uint8Array, at: number) => P

/** The first place in which the leads differ. */
const differenceOf = (parts: readonly Part[]): number => {
  const shortest = Math.min(...parts.map(({ lead }) => lead.length))
  for (let i = 0; i < shortest; i++) if (parts.some(({ lead }) => lead[i] !== parts[0]?.lead[i])) return i
  throw new MeshError('E_INTERNAL', 'options of a message that begin alike cannot be told apart')
}

export const choiceOf = <P extends Part>(parts: readonly P[]): Choice<P> => {
  const [only] = parts
  if (only && parts.length === 1) return () => only
  const place = differenceOf(parts)
  const groups = Map.groupBy(parts, ({ lead }) => lead[place] as number)
  const choices = new Array<Choice<P> | undefined>(256).fill(undefined)
  for (const [byte, group] of groups) choices[byte] = choiceOf(group)
  return (bytes, at) => {
    const choice = choices[bytes[at + place] as number]
    if (!choice) throw MISFIT
    return choice(bytes, at)
  }
}
