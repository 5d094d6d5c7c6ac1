/** What a function asks for against what its caller grants it. Pure: the home asks here before it performs anything. */
import {
  type ArgumentsOf,
  BINDING_OF,
  type BoundKind,
  decodeArguments,
  EFFECTS,
  type EffectKind,
  isBound,
  isDeferred,
} from '../protocol/effects.ts'
import { MeshError } from '../protocol/errors.ts'
import type { FetchGrant, Grant, Grants, StateGrant } from '../protocol/grants.ts'
import type { Answer, EffectRequest, JournalEntry } from '../protocol/journal.ts'
import { STATE_BLOCK_BYTES } from '../protocol/limits.ts'
import type { Outcome } from '../protocol/outcome.ts'
import type { Manifest } from '../protocol/records.ts'

type Bound = { [K in BoundKind]: (typeof BINDING_OF)[K] extends 'state' ? StateGrant : FetchGrant }

/** A request that its grant covers. */
export type Granted<K extends BoundKind = BoundKind> = {
  [K2 in K]: {
    kind: K2
    n: number
    args: ArgumentsOf<K2>
    grant: Bound[K2]
    /** What is left of the grant's bytes for answers. */
    bytesLeft: number
  }
}[K]

const UNBOUNDED = Number.POSITIVE_INFINITY

const refuse = (binding: string, reason: string): never => {
  throw new MeshError('E_GRANT', { message: `env.${binding}: ${reason}`, binding })
}

/** The grant of a binding that the manifest declares, and that the caller has given as what it is. */
const grantOf = (env: Manifest['env'], grants: Grants, kind: BoundKind, binding: string): StateGrant | FetchGrant => {
  const wanted = BINDING_OF[kind]
  if (!env?.some((one) => one.name === binding && one.kind === wanted))
    return refuse(binding, `the function's manifest declares no binding of the kind ${wanted} by this name`)
  const grant = Object.hasOwn(grants, binding) ? grants[binding] : undefined
  if (grant && !('secret' in grant) && wanted in grant) return grant
  return refuse(binding, `the caller grants no ${wanted} here; grants come from the wayside.json beside the function`)
}

const ensureKeys = (binding: string, grant: StateGrant, kind: BoundKind, keys: string): void => {
  const { prefix = '', access = 'write' } = grant
  if (!keys.startsWith(prefix)) refuse(binding, `only keys that begin with ${JSON.stringify(prefix)} are granted`)
  if (isDeferred(kind) && access !== 'write') refuse(binding, `reading is granted, and ${kind} writes`)
}

/** What went to one binding. */
interface Spent {
  requests: number
  /** Of arguments, and of answers. */
  sent: number
  got: number
}

/** Requests of one invocation, in order, counted against their grants. */
/** Of an answer, as grants count it: what stands in blocks by whole ones. */
export const countedBytes = (answer: Answer): number =>
  answer.ok ? (answer.blocks?.length ?? 0) * STATE_BLOCK_BYTES + answer.value.length : 0

export class GrantedRequests {
  readonly #env: Manifest['env']
  readonly #grants: Grants
  readonly #spent = new Map<string, Spent>()
  /** The binding of each request that was admitted and not answered. */
  readonly #open = new Map<number, string>()

  constructor(env: Manifest['env'], grants: Grants = {}) {
    this.#env = env
    this.#grants = grants
  }

  /** What was requested by now is counted; answers that were waited for are not. */
  copy(): GrantedRequests {
    const copy = new GrantedRequests(this.#env, this.#grants)
    for (const [binding, spent] of this.#spent) copy.#spent.set(binding, { ...spent })
    return copy
  }

  /** Counts a request. Throws MeshError E_GRANT for one that is not covered, E_USAGE or E_MESSAGE for one that is none. */
  admit<K extends BoundKind>(kind: K, { n, arguments: encoded }: Pick<EffectRequest, 'n' | 'arguments'>): Granted<K> {
    const args = decodeArguments<BoundKind>(kind, encoded)
    const { binding } = args
    const spent = this.#spent.get(binding) ?? { requests: 0, sent: 0, got: 0 }
    this.#spent.set(binding, spent)
    spent.requests++
    spent.sent += encoded.length + ('blocks' in args ? args.bytes : 0)
    const grant = grantOf(this.#env, this.#grants, kind, binding)
    const { requests = UNBOUNDED, bytes = UNBOUNDED } = grant
    if (spent.requests > requests) refuse(binding, `the ${requests} requests that are granted are used up`)
    if (spent.sent > bytes) refuse(binding, `the ${bytes} bytes that are granted for requests are used up`)
    if ('state' in grant)
      ensureKeys(binding, grant, kind, 'prefix' in args ? args.prefix : (args as { key: string }).key)
    if (!isDeferred(kind)) this.#open.set(n, binding)
    return { kind, n, args, grant, bytesLeft: bytes - spent.got } as unknown as Granted<K>
  }

  /** Counts the answer to request `n`, of so many bytes. Throws MeshError E_GRANT where it is larger than what is left. */
  answered(n: number, length: number): void {
    const binding = this.#open.get(n)
    if (binding === undefined) return
    this.#open.delete(n)
    const spent = this.#spent.get(binding) as Spent
    const { bytes = UNBOUNDED } = this.#grants[binding] as StateGrant | FetchGrant
    if (spent.got + length > bytes) refuse(binding, `the ${bytes} bytes that are granted for answers are used up`)
    spent.got += length
  }

  /** Counts an entry of a journal that is gone on with. What was refused then is no more than counted. */
  note(entry: JournalEntry): void {
    try {
      if (entry.entry === 'answer') this.answered(entry.n, countedBytes(entry.answer))
      else if (isBound(entry.kind)) this.admit(entry.kind, entry)
    } catch (cause) {
      if (!(cause instanceof MeshError)) throw cause
    }
  }
}

/** What is to be done once an outcome has been verified. */
export type Deferred = Granted<'put' | 'delete' | 'send'>

const asDeferred = (kind: EffectKind): Deferred['kind'] | undefined =>
  kind === 'put' || kind === 'delete' || kind === 'send' ? kind : undefined

/**
 * The deferred ones of the requests of a verified step, the first of which is request `from`, in order; counted by `granted`.
 * Throws MeshError E_GRANT for the first that its caller does not grant: then none of them may be done. Until then a lying
 * executor could have made it up.
 */
export const deferredIn = (granted: GrantedRequests, requests: Outcome['requests'], from = 0): Deferred[] => {
  const deferred: Deferred[] = []
  for (const [i, request] of requests.entries()) {
    const n = from + i
    const kind = asDeferred(request.kind)
    if (kind) deferred.push(granted.admit(kind, { n, arguments: request.arguments }))
    else granted.note({ entry: 'request', after: 0, n, ...request })
  }
  return deferred
}

/** Of a call within its caller's step. Throws MeshError E_GRANT where it would change something: nothing is granted for that. */
export const ensureReadsOnly = ({ result, requests }: Pick<Outcome, 'result' | 'requests'>): void => {
  const first = result.ok ? requests.find(({ kind }) => isDeferred(kind)) : undefined
  if (!first) return
  const message = `the function that was called requested ${first.kind}, and its caller grants it nothing of the kind`
  throw new MeshError('E_GRANT', message)
}

/** What the exports of a function that it calls itself may do: nothing that is counted, or they would multiply it. */
export const uncounted = (grants: Grants | undefined): Grants | undefined => {
  if (!grants) return undefined
  const isCounted = (grant: Grant) => !('secret' in grant) && (grant.requests ?? grant.bytes) !== undefined
  return Object.fromEntries(Object.entries(grants).filter(([, grant]) => !isCounted(grant)))
}

/** Whether something of what it does is done only once it has been verified: no lower level will do then. */
export const mustBeVerified = (
  { effects, env = [] }: Pick<Manifest, 'effects' | 'env'>,
  grants: Grants = {},
): boolean => {
  const isRead = (name: string) => {
    const grant = Object.hasOwn(grants, name) ? grants[name] : undefined
    return grant === undefined || !('fetch' in grant) || grant.read === true
  }
  const onlyReads = env.every(({ name, kind }) => kind !== 'fetch' || isRead(name))
  return effects.some((kind) => (kind === 'fetch' ? !onlyReads : EFFECTS[kind].class !== 'input'))
}
