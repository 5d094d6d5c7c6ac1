/** What `delegations` prints: by which homes go on with something for those who are not there. */
import type { DelegationSummary, StandingDelegations } from '../../peer/durable/delegation-rules.ts'
import { MeshError } from '../../protocol/errors.ts'
import { shortId } from '../short-id.ts'
import { countWords, durationWords, tableWords } from './words.ts'

const expiresWords = ({ isRevoked, expiresMs }: DelegationSummary, nowMs: number): string => {
  if (isRevoked) return 'revoked'
  return expiresMs > nowMs ? `in ${durationWords(expiresMs - nowMs)}` : 'expired'
}

const namespacesWords = (names: readonly string[] | undefined): string => {
  if (!names) return 'any'
  return names.length === 0 ? 'none' : names.join(', ')
}

/** A row each; the ids are whole: other commands take them. */
export const delegationsWords = (all: readonly DelegationSummary[], nowMs: number): string => {
  if (all.length === 0) return 'nothing goes on by a delegation: neither here, nor elsewhere for this machine\n'
  const caller = all.some((one) => one.caller) ? 'CALLER' : ''
  const home = all.some((one) => one.home) ? 'HOME' : ''
  const heads = ['ID', caller, home, 'FUNCTION', 'NAMESPACES', 'EXPIRES', 'RUNNING']
  const rows = all.map((one) => [
    ...[one.id, shortId(one.caller ?? ''), shortId(one.home ?? ''), one.function ? shortId(one.function) : 'any'],
    ...[namespacesWords(one.namespaces), expiresWords(one, nowMs), countWords(one.running)],
  ])
  return tableWords([heads, ...rows])
}

/** Throws MeshError, by the code of the first, where the list is without what some may hold. */
export const ensureAllSaid = (missing: StandingDelegations['missing']): void => {
  const [first] = missing
  if (!first) return
  const said = missing.map(({ home, error }) => `${home}: ${error.message}`)
  throw new MeshError(first.error.code, `the list is without what these may hold: ${said.join('; ')}`)
}
