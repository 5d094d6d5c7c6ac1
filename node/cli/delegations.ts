/** `wayside delegations`: by which homes go on with something for those who are not there. */
import { delegationToWire } from '../control/invocations.ts'
import { delegationsWords, ensureAllSaid } from './delegation-words.ts'
import { withDurable } from './durable.ts'
import type { OwnerFlags } from './owner.ts'
import { print, printJson } from './terminal.ts'

/** Prints what some said; then throws MeshError, as `ensureAllSaid` does. */
export const delegations = async (flags: OwnerFlags): Promise<undefined> => {
  const { standing, missing } = await withDurable(flags, (durable) => durable.delegations())
  if (flags.json) await printJson(standing.map(delegationToWire))
  else if (standing.length > 0 || missing.length === 0) await print(delegationsWords(standing, Date.now()))
  ensureAllSaid(missing)
}

export const renew = async (id: string, flags: OwnerFlags): Promise<undefined> => {
  await withDurable(flags, (durable) => durable.renew(id))
  if (flags.json) return printJson({ id, renewed: true }) as Promise<undefined>
  await print('renewed: its home may go on with it\n')
}

export const revoke = async (id: string, flags: OwnerFlags): Promise<undefined> => {
  await withDurable(flags, (durable) => durable.revoke(id))
  if (flags.json) return printJson({ id, revoked: true }) as Promise<undefined>
  await print('revoked: its home goes on with it no more\n')
}
