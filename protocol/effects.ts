/** What a function may ask of its home: the kinds of effect, when each is performed, and what its arguments are. */
import * as v from 'valibot'
import { MeshError } from './errors.ts'
import {
  HEADERS_MAX,
  HTTP_HEAD_BYTES_MAX,
  LIST_ENTRIES_MAX,
  NAME_CHARS_MAX,
  RANDOM_BYTES_MAX,
  STATE_BLOCK_BYTES,
  STATE_KEY_BYTES_MAX,
  STATE_PUT_BYTES_MAX,
  STATE_VALUE_BYTES_MAX,
  URL_CHARS_MAX,
} from './limits.ts'
import { isPlainObject } from './plain-object.ts'
import { isStateKey, isStatePrefix } from './state-names.ts'
import { decodeValue, encodeValue, type Value } from './values.ts'

/**
 * input: performed at once, and answered. deferred: recorded, performed once the outcome has been verified, and never
 * answered: the function goes on at once. barrier: answered once all that stands before it in the journal has been verified.
 */
export type EffectClass = 'input' | 'deferred' | 'barrier'

/** Things in the arguments of one request: a large table fits. 4 MiB of empty lists would hold up a home for 2 s. */
const ARGUMENTS_ITEMS_MAX = 524_288

/** A map with these fields and no others: a list is none, nor are `toString` and `__proto__` fields. */
const fields = <E extends v.ObjectEntries>(entries: E) => {
  const fits = (x: unknown) =>
    typeof x === 'object' &&
    x !== null &&
    isPlainObject(x) &&
    Object.keys(x).every((name) => Object.hasOwn(entries, name))
  const words = Object.keys(entries).join(', ') || 'nothing'
  return v.pipe(v.custom<object>(fits, `expected a map of ${words}`), v.object(entries))
}

const positive = () => v.pipe(v.number(), v.safeInteger(), v.minValue(1))
const upTo = (most: number) =>
  v.pipe(
    v.number(`expected a whole number from 1 to ${most}`),
    v.check((x) => Number.isSafeInteger(x) && x >= 1 && x <= most, `expected a whole number from 1 to ${most}`),
  )
const binding = () => v.pipe(v.string(), v.minLength(1), v.maxLength(NAME_CHARS_MAX))
const KEY_WORDS = `expected text of 1 to ${STATE_KEY_BYTES_MAX} bytes of UTF-8 without control characters`
const key = () => v.pipe(v.string(KEY_WORDS), v.check(isStateKey, KEY_WORDS))
const PREFIX_WORDS = `expected text of up to ${STATE_KEY_BYTES_MAX} bytes of UTF-8 without control characters`
const prefix = () => v.pipe(v.string(PREFIX_WORDS), v.check(isStatePrefix, PREFIX_WORDS))
const anyValue = (): v.GenericSchema<Value> => v.custom<Value>((x) => x !== undefined)
const storable = () =>
  v.pipe(
    anyValue(),
    v.check(
      (x) => encodeValue(x).length <= STATE_PUT_BYTES_MAX,
      `expected a value of at most ${STATE_VALUE_BYTES_MAX} bytes, encoded`,
    ),
  )

/** Of a block: base32 of what all raw CIDs begin with, and the hash. */
const BLOCK_CID = /^bafkrei[a-z2-7]{52}$/
const BLOCKS_WORDS = `expected the CIDs of the blocks of a value of ${STATE_BLOCK_BYTES + 1} to ${STATE_VALUE_BYTES_MAX} bytes`
const isLargePut = (x: unknown): boolean => typeof x === 'object' && x !== null && 'blocks' in x
/** With a value that is larger than a block: its bytes, encoded, and the CIDs of the blocks that they are cut into. */
const largePut = () =>
  v.pipe(
    fields({
      binding: binding(),
      key: key(),
      bytes: v.pipe(v.number(), v.safeInteger()),
      blocks: v.array(v.string()),
    }),
    v.check(
      ({ bytes, blocks }) =>
        bytes > STATE_BLOCK_BYTES &&
        bytes <= STATE_VALUE_BYTES_MAX &&
        blocks.length === Math.ceil(bytes / STATE_BLOCK_BYTES) &&
        blocks.every((cid) => BLOCK_CID.test(cid)),
      BLOCKS_WORDS,
    ),
  )
const LARGE_PUT = largePut()
const PUT = fields({ binding: binding(), key: key(), value: storable() })

/** As RFC 9110, 5.6.2, has a token. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const token = (most: number) => v.pipe(v.string(), v.maxLength(most), v.regex(TOKEN, 'expected a token of HTTP'))
/** As RFC 9110, 5.5, has a field's value, within Latin-1. */
const FIELD = /^[\t\x20-\x7e\x80-\xff]*$/
const header = () =>
  v.strictTuple([token(NAME_CHARS_MAX), v.pipe(v.string(), v.regex(FIELD, 'expected a header’s value'))])

const httpRequest = () =>
  v.pipe(
    fields({
      binding: binding(),
      url: v.pipe(v.string(), v.minLength(1), v.maxLength(URL_CHARS_MAX)),
      method: token(32),
      headers: v.pipe(v.array(header()), v.maxLength(HEADERS_MAX)),
      body: v.nullable(v.instance(Uint8Array)),
    }),
    v.check(
      ({ url, headers }) =>
        headers.reduce((sum, [name, value]) => sum + name.length + value.length, url.length) <= HTTP_HEAD_BYTES_MAX,
      `expected a URL and headers of at most ${HTTP_HEAD_BYTES_MAX} characters together`,
    ),
  )

const effect = <const C extends EffectClass, S extends v.GenericSchema<unknown>>(
  when: C,
  /** Things in its arguments at most: more would be no such request. */
  itemsMax: number,
  shape: S,
) => ({
  class: when,
  itemsMax,
  // Told by what comes out: a schema of Values has no end for whoever reads the declarations.
  shape: shape as v.GenericSchema<unknown, v.InferOutput<S>>,
})

/** Every kind of effect that the protocol knows by now. A `fetch` that its grant marks `read` counts as input. */
export const EFFECTS = {
  call: effect(
    'input',
    ARGUMENTS_ITEMS_MAX,
    fields({
      ref: v.string('the first argument is "#export", a CID or CID#export'),
      input: v.optional(anyValue()),
      options: v.nullish(fields({ fuel: v.nullish(positive()), timeoutMs: v.nullish(positive()) })),
    }),
  ),
  sleep: effect('input', 2, fields({ ms: positive() })),
  now: effect('input', 1, fields({})),
  random: effect('input', 2, fields({ bytes: upTo(RANDOM_BYTES_MAX) })),
  get: effect('input', 3, fields({ binding: binding(), key: key() })),
  list: effect(
    'input',
    5,
    fields({
      binding: binding(),
      prefix: prefix(),
      after: v.nullable(key()),
      limit: upTo(LIST_ENTRIES_MAX),
    }),
  ),
  put: effect(
    'deferred',
    ARGUMENTS_ITEMS_MAX,
    v.lazy((x) => (isLargePut(x) ? LARGE_PUT : PUT)),
  ),
  delete: effect('deferred', 3, fields({ binding: binding(), key: key() })),
  fetch: effect('barrier', 6 + 3 * HEADERS_MAX, httpRequest()),
  send: effect('deferred', 6 + 3 * HEADERS_MAX, httpRequest()),
}

export type EffectKind = keyof typeof EFFECTS
export const EFFECT_KINDS = Object.keys(EFFECTS) as EffectKind[]
export type ArgumentsOf<K extends EffectKind> = v.InferOutput<(typeof EFFECTS)[K]['shape']>

/** Kinds whose requests stand in the journal without an answer. */
export const isDeferred = (kind: EffectKind): boolean => EFFECTS[kind].class === 'deferred'

/** Kinds that read state, as of the revision of their step. */
export const READ_KINDS = ['get', 'list'] as const satisfies readonly EffectKind[]
export const isRead = (kind: EffectKind): boolean => (READ_KINDS as readonly EffectKind[]).includes(kind)

/** What a name in a function's `env` can be. */
export const BINDING_KINDS = ['fetch', 'secret', 'state'] as const
export type BindingKind = (typeof BINDING_KINDS)[number]

/** Kinds of effect that go to a binding, and which that is. */
export const BINDING_OF = {
  get: 'state',
  list: 'state',
  put: 'state',
  delete: 'state',
  fetch: 'fetch',
  send: 'fetch',
} as const satisfies Partial<Record<EffectKind, BindingKind>>
export type BoundKind = keyof typeof BINDING_OF

export const isBound = (kind: EffectKind): kind is BoundKind => Object.hasOwn(BINDING_OF, kind)

/**
 * What stands for a secret in a function's headers: `name` is the binding's. The home puts the value in its place where the
 * grant says so, and only there.
 */
export const secretPlaceholder = (name: string): string => `{wayside-secret:${name}}`

/** The arguments of a request, decoded. Throws MeshError E_USAGE, which says what is wrong with them. */
export const ensureArguments = <K extends EffectKind>(kind: K, value: Value): ArgumentsOf<K> => {
  const parsed = v.safeParse(EFFECTS[kind].shape as v.GenericSchema<unknown>, value, { abortEarly: true })
  if (parsed.success) return parsed.output as ArgumentsOf<K>
  const [issue] = parsed.issues
  const path = v.getDotPath(issue) ?? ''
  throw new MeshError('E_USAGE', { message: `${kind}: ${path && `${path}: `}${issue.message}`, kind, path })
}

/** The same of their bytes. Throws MeshError E_MESSAGE and E_MESSAGE_LIMIT besides. */
export const decodeArguments = <K extends EffectKind>(kind: K, encoded: Uint8Array): ArgumentsOf<K> =>
  ensureArguments(kind, decodeValue(encoded, EFFECTS[kind].itemsMax))

export type LargePut = v.InferOutput<typeof LARGE_PUT>

/** The head of a map of four, which no other put is. */
const LARGE_PUT_HEAD = 0xa4

/** What a request puts, if that is named by its blocks. Throws MeshError as `decodeArguments`. */
export const largePutIn = (kind: EffectKind, encoded: Uint8Array): LargePut | undefined => {
  if (kind !== 'put' || encoded[0] !== LARGE_PUT_HEAD) return undefined
  const put = decodeArguments('put', encoded)
  return 'blocks' in put ? put : undefined
}
