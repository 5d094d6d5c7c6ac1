/** Secrets of the home in the requests of a function, which knows them by placeholders only. */
import { MeshError } from '../../protocol/errors.ts'
import type { SecretGrant } from '../../protocol/grants.ts'
import type { Header } from '../../protocol/ports.ts'
import type { FetchArguments, Hop } from './fetch-rules.ts'
import { textOf } from './redaction.ts'

/** By the names of their bindings; origins as they are compared, headers in lower case. */
export type SecretGrants = ReadonlyMap<string, SecretGrant>

const PLACEHOLDER = /\{wayside-secret:([^{}]+)\}/g
/** Also as a URL has it. */
const ANY_PLACEHOLDER = /(?:\{|%7b)wayside-secret(?::|%3a)([^{}%]*)/i

const refuse = (message: string, binding: string): never => {
  throw new MeshError('E_GRANT', { message: `env.${binding}: ${message}`, binding })
}

/** Names of the bindings whose placeholders stand in a header's value. */
export const secretsIn = (value: string): string[] => [...value.matchAll(PLACEHOLDER)].map(([, name]) => name as string)

/** Does the header say who asks? Then it is for one origin. */
export const isCredential = ([name, value]: Header): boolean => name === 'authorization' || secretsIn(value).length > 0

const ensureHere = (binding: string, grants: SecretGrants, header: string, origin: string) => {
  const grant = grants.get(binding)
  if (grant === undefined) return refuse('no secret was granted for it', binding)
  if (grant.header !== header) return refuse(`this secret does not go into the header ${header}`, binding)
  if (grant.origin !== origin) return refuse(`this secret does not go to ${origin}`, binding)
}

/** Throws MeshError E_GRANT where a secret is to go anywhere but into its header, to its origin. */
export const ensureSecretsPlaced = ({ url, body }: FetchArguments, hop: Hop, grants: SecretGrants): void => {
  for (const [name, value] of hop.headers) {
    for (const binding of secretsIn(value)) ensureHere(binding, grants, name, hop.origin)
  }
  for (const [where, text] of [
    ['URL', url],
    ['body', textOf(body ?? new Uint8Array())],
  ] as const) {
    const binding = ANY_PLACEHOLDER.exec(text)?.[1]
    if (binding !== undefined) refuse(`a secret goes into a header only, and stands in the ${where}`, binding)
  }
}

/** The headers with values in place of placeholders. */
export const withSecrets = (headers: readonly Header[], values: ReadonlyMap<string, string>): Header[] =>
  headers.map(([name, value]) => [name, value.replace(PLACEHOLDER, (_, binding) => values.get(binding) as string)])
