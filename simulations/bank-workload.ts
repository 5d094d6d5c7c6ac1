/** Transfers between accounts of two branches over any state engine, and audits meanwhile. An empty account is deleted. */
import type { StateEngine, Write } from '../peer/state/engine.ts'
import type { Audit } from './checkers/bank.ts'
import { byClients, type Clients, commitBy, whileReachable } from './state-clients.ts'

export interface Bank extends Clients {
  /** Of each of the two branches. */
  accounts: number
}

const BRANCHES = ['bank-east', 'bank-west']
const OPENING_BALANCE = 10
const AUDITS_PERCENT = 20
/** Audits go through the accounts in pages. */
const PAGE = 7

const encode = (balance: number) => new TextEncoder().encode(`${balance}`)
const decode = (value: Uint8Array | undefined) => (value === undefined ? 0 : Number(new TextDecoder().decode(value)))

const writeOf = (namespace: string, key: string, balance: number): Write =>
  balance === 0 ? { namespace, key, delete: true } : { namespace, key, put: encode(balance) }

const audit = async (engine: StateEngine, pause: Bank['pause']): Promise<Audit> => {
  const revision = await engine.revision()
  const balances = new Map<string, number>()
  for (const namespace of BRANCHES) {
    for (let after: string | undefined; ; ) {
      await pause()
      const { entries, more } = await engine.list({ namespace, prefix: 'account-', after, limit: PAGE }, revision)
      for (const { key, value } of entries) balances.set(`${namespace}/${key}`, decode(value))
      if (!more) break
      after = entries.at(-1)?.key
    }
  }
  return { revision, balances }
}

const accountOf = ({ random, accounts }: Bank) => ({
  namespace: BRANCHES[random.below(2)] as string,
  key: `account-${random.below(accounts)}`,
})

/** False: it conflicted, and begins again. */
const transfer = async (bank: Bank, client: number, id: string): Promise<boolean> => {
  const [from, to] = [accountOf(bank), accountOf(bank)]
  const view = await whileReachable(async () => {
    const engine = await bank.engineOf(client)
    const revision = await engine.revision()
    await bank.pause()
    const [[a], [b]] = [
      await engine.read(from.namespace, [from.key], revision),
      await engine.read(to.namespace, [to.key], revision),
    ]
    return { revision, held: decode(a?.value), holds: decode(b?.value) }
  })
  if (!view) return false
  const { revision, held, holds } = view
  const isSame = from.namespace === to.namespace && from.key === to.key
  if (held === 0 || isSame) return true
  const amount = 1 + bank.random.below(held)
  await bank.pause()
  const writes = [writeOf(from.namespace, from.key, held - amount), writeOf(to.namespace, to.key, holds + amount)]
  const { kind } = await commitBy(bank, client, { id, revision, reads: [from, to], ranges: [], writes })
  return kind !== 'conflict'
}

const payIn = async (bank: Bank): Promise<number> => {
  const writes = BRANCHES.flatMap((namespace) =>
    Array.from({ length: bank.accounts }, (_, n) => writeOf(namespace, `account-${n}`, OPENING_BALANCE)),
  )
  for (;;) {
    const engine = await bank.engineOf(0)
    const revision = await whileReachable(() => engine.revision())
    if (revision === undefined) await bank.pause()
    else if ((await commitBy(bank, 0, { id: 'pay-in', revision, reads: [], ranges: [], writes })).kind === 'committed')
      return writes.length * OPENING_BALANCE
  }
}

/** What those saw who looked at all accounts at once, and what was paid in. */
export const runBank = async (bank: Bank): Promise<{ total: number; audits: readonly Audit[] }> => {
  const total = await payIn(bank)
  const audits: Audit[] = []
  await byClients(bank, async (client, number) => {
    if (bank.random.below(100) >= AUDITS_PERCENT) {
      while (!(await transfer(bank, client, `transfer-${number}`))) await bank.pause()
      return
    }
    for (let seen: Audit | undefined; seen === undefined; ) {
      seen = await whileReachable(async () => audit(await bank.engineOf(client), bank.pause))
      if (seen) audits.push(seen)
      else await bank.pause()
    }
  })
  return { total, audits }
}
