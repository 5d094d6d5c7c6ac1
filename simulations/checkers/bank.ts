/** A bank, in which money moves and never comes or goes: whoever looks at all accounts at once sees the same total. */

export interface Audit {
  /** The revision that was looked at. */
  revision: number
  /** By account. */
  balances: ReadonlyMap<string, number>
}

export const totalOf = ({ balances }: Pick<Audit, 'balances'>): number => {
  let total = 0
  for (const balance of balances.values()) total += balance
  return total
}

/** A sentence for each audit that is wrong: another total, an account in debt, two accounts of one revision. */
export const checkBank = (audits: readonly Audit[], total: number): readonly string[] => {
  const wrong: string[] = []
  const first = new Map<number, Audit>()
  for (const audit of audits) {
    const { revision, balances } = audit
    const found = totalOf(audit)
    if (found !== total) wrong.push(`at revision ${revision} all accounts hold ${found}, and ${total} was paid in`)
    for (const [account, balance] of balances)
      if (!(balance > 0)) wrong.push(`at revision ${revision} account ${account} holds ${balance}`)
    const other = first.get(revision) ?? audit
    first.set(revision, other)
    const account = [...new Set([...balances.keys(), ...other.balances.keys()])].find(
      (name) => balances.get(name) !== other.balances.get(name),
    )
    if (account !== undefined) {
      const [a, b] = [other, audit].map((one) => one.balances.get(account) ?? 0)
      wrong.push(`at revision ${revision} account ${account} holds ${a} for one who looked, and ${b} for another`)
    }
  }
  return wrong
}
