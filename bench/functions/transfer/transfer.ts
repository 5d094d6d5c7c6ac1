/** Reads two keys, one behind the other, and writes one. `isHidden`: the second is made of its number in no way that shows. */
import type { State } from 'wayside'

export const ACCOUNTS = 10_000

export default async function transfer(
  { from, to, isHidden }: { from: number; to: number; isHidden: boolean },
  { DB }: { DB: State },
): Promise<number> {
  const other = isHidden ? (to * 7919 + 4027) % ACCOUNTS : to
  const mine = Number((await DB.get(`account/${from}`)) ?? 100)
  const theirs = Number((await DB.get(`account/${other}`)) ?? 100)
  const left = mine + Math.sign(theirs - mine)
  DB.put(`account/${from}`, left)
  return left
}
