/** Who did how much for whom: what one has lent, the other has used, and nobody's books gain by it. */
import type { Work } from '../../peer/usage/account.ts'

/** What `peer` has agreed with `other`: done for it, and had done by it. */
export interface Book {
  peer: string
  other: string
  lent: Readonly<Work>
  used: Readonly<Work>
}

const COUNTS = ['fuel', 'gib_fuel', 'bytes'] as const

/** A sentence for each who has lent more than the other has signed for: which nobody may, even where one lies or is gone. */
export const checkLent = (books: readonly Book[]): string[] => {
  const signed = new Map(books.map(({ peer, other, used }) => [`${peer} ${other}`, used.fuel]))
  return books.flatMap(({ peer, other, lent }) => {
    const used = signed.get(`${other} ${peer}`) ?? 0
    return lent.fuel > used ? [`${peer} has lent ${other} ${lent.fuel} fuel, which has signed for ${used}`] : []
  })
}

/** A sentence for each two who do not agree, and for each sum of all balances that is not zero. */
export const checkUsage = (books: readonly Book[]): string[] => {
  const wrong: string[] = []
  const used = new Map(books.map((book) => [`${book.peer} ${book.other}`, book.used]))
  for (const count of COUNTS) {
    let total = 0n
    for (const { peer, other, lent, used: usedHere } of books) {
      total += BigInt(lent[count]) - BigInt(usedHere[count])
      const there = used.get(`${other} ${peer}`)?.[count] ?? 0
      if (lent[count] !== there)
        wrong.push(`${peer} has lent ${other} ${lent[count]} ${count}, which has used ${there}`)
    }
    if (total !== 0n) wrong.push(`all balances of ${count} come to ${total}`)
  }
  return wrong
}
