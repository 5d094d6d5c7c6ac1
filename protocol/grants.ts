/** What a caller grants a function for each name in its `env`. Between a caller and its home: no executor ever sees it. */
import * as v from 'valibot'
import { MeshError } from './errors.ts'
import { BINDINGS_MAX, NAME_CHARS_MAX } from './limits.ts'
import { isOrigin } from './origins.ts'
import { isStatePrefix } from './state-names.ts'

const described = <S extends v.GenericSchema>(schema: S, text: string) => v.pipe(schema, v.description(text))
const text = () => v.pipe(v.string(), v.minLength(1), v.maxLength(NAME_CHARS_MAX))
const count = (words: string) =>
  v.exactOptional(
    described(
      v.pipe(v.number(), v.safeInteger('expected a whole number'), v.minValue(0, 'expected at least 0')),
      words,
    ),
  )

const bounds = () => ({
  requests: count('requests of one call at most'),
  bytes: count('bytes of all these requests, and of all answers to them, encoded, at most'),
})

const ORIGIN_WORDS = 'expected an origin such as "https://api.example.com"'
const origin = () =>
  v.pipe(v.string(), v.maxLength(256), v.regex(/^https?:\/\/[^/?#\s]+$/, ORIGIN_WORDS), v.check(isOrigin, ORIGIN_WORDS))
const token = () => v.pipe(text(), v.regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'expected a token of HTTP'))

const stateGrant = v.strictObject({
  // Those that begin with a dot are Wayside's own.
  state: v.pipe(v.string(), v.regex(/^[a-z0-9-]{1,64}$/, 'expected a namespace: 1 to 64 of a to z, 0 to 9 and -')),
  prefix: v.exactOptional(
    described(v.pipe(v.string(), v.check(isStatePrefix, 'expected the beginning of a key')), 'only keys that begin so'),
  ),
  access: v.exactOptional(described(v.picklist(['read', 'write']), 'write, unless given')),
  ...bounds(),
})

const fetchGrant = v.strictObject({
  fetch: v.pipe(v.array(origin()), v.minLength(1), v.maxLength(64)),
  methods: v.exactOptional(
    described(v.pipe(v.array(token()), v.minLength(1), v.maxLength(16)), 'GET and HEAD, unless given'),
  ),
  read: v.exactOptional(described(v.boolean(), 'it changes nothing there: performed at once, unverified')),
  private: v.exactOptional(described(v.boolean(), 'origins on a private network or this machine too')),
  onUnknown: v.exactOptional(
    described(v.picklist(['retry', 'fail']), 'where it is not known whether a request was served: fail, unless given'),
  ),
  ...bounds(),
})

const secretGrant = v.strictObject({ secret: text(), origin: origin(), header: token() })

/** What may be granted, each with words for who writes it. */
const state = described(stateGrant, 'state of the home, by the name of its namespace')
const fetch = described(fetchGrant, 'origins that may be fetched')
const SECRET = 'a secret of the home, by its name, for one header of one origin; it never leaves it otherwise'

export const grantSchema = v.union(
  [state, fetch, described(secretGrant, SECRET)],
  'expected {"state": NAMESPACE}, {"fetch": [ORIGIN]} or {"secret": NAME, "origin": ORIGIN, "header": NAME}',
)

/** As a person writes it: the origin of a secret may go without saying where there is one only. */
export const writtenGrantSchema = v.union(
  [
    state,
    fetch,
    described(
      v.strictObject({
        secret: text(),
        origin: v.exactOptional(described(origin(), 'the only one that is fetched from, unless given')),
        header: v.exactOptional(described(token(), 'Authorization, unless given')),
      }),
      SECRET,
    ),
  ],
  'expected {"state": NAMESPACE}, {"fetch": [ORIGIN]} or {"secret": NAME, "origin": ORIGIN, "header": NAME}',
)
export type WrittenGrant = v.InferOutput<typeof writtenGrantSchema>

/** By the names of bindings. */
export const grantsSchema = v.pipe(
  v.record(text(), grantSchema),
  v.check((grants) => Object.keys(grants).length <= BINDINGS_MAX, `expected at most ${BINDINGS_MAX} bindings`),
)

/** Throws MeshError E_USAGE, which names the grant. */
export const ensureGrants = (x: unknown): Grants => {
  const parsed = v.safeParse(grantsSchema, x)
  if (parsed.success) return parsed.output
  const [issue] = parsed.issues
  const path = v.getDotPath(issue)
  throw new MeshError('E_USAGE', { message: `grants${path ? `.${path}` : ''}: ${issue.message}`, option: 'grants' })
}

export type StateGrant = v.InferOutput<typeof stateGrant>
export type FetchGrant = v.InferOutput<typeof fetchGrant>
export type SecretGrant = v.InferOutput<typeof secretGrant>
export type Grant = v.InferOutput<typeof grantSchema>
export type Grants = Readonly<Record<string, Grant>>
