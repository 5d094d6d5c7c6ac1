/** fast-check arbitraries derived from message schemas: a new message or field is drawn without a line here. */
import fc from 'fast-check'
import type * as v from 'valibot'
import { type CID, cidFromBytes } from '../../protocol/cid.ts'
import { peerIdFromPublicKey } from '../../protocol/identity.ts'
import type { Value } from '../../protocol/values.ts'

/** What the schemas of protocol/ are made of, as far as it tells the limits. */
export interface Schema {
  readonly type: string
  readonly literal?: unknown
  readonly options?: readonly unknown[]
  readonly entries?: Readonly<Record<string, Schema>>
  readonly item?: Schema
  /** Of a field that may be missing. */
  readonly wrapped?: Schema
  readonly pipe?: readonly { readonly type: string; readonly requirement?: unknown; readonly message?: unknown }[]
  readonly lengthMin?: number
  readonly lengthMax?: number
}

export const schemaOf = (schema: v.GenericSchema): Schema => schema as unknown as Schema

/** The number that an action of the schema's pipe demands. */
export const limitOf = (schema: Schema, action: string): number | undefined =>
  schema.pipe?.find((one) => one.type === action)?.requirement as number | undefined

/** What a string must look like, if more than a length is asked of it. */
export const syntaxOf = (schema: Schema): 'peerId' | 'engineId' | undefined => {
  const message = String(schema.pipe?.find((one) => one.type === 'check' || one.type === 'regex')?.message ?? '')
  if (message.includes('PeerId')) return 'peerId'
  if (message.includes('engine ID')) return 'engineId'
  if (message !== '') throw new Error(`no arbitrary for the syntax "${message}"; add one`)
  return undefined
}

/** Long enough to reach the wider heads now and then; what a limit allows at most, messages.test.ts tries. */
const LENGTH_MAX = 30
const ITEMS_MAX = 2

const byteString = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })

export const cids: fc.Arbitrary<CID> = fc
  .tuple(fc.constantFrom(0x55, 0x71), byteString(32))
  .map(([codec, digest]) => cidFromBytes(Uint8Array.of(1, codec, 0x12, 32, ...digest)) as CID)

export const peerIds: fc.Arbitrary<string> = byteString(32).map(peerIdFromPublicKey)

const engineIds = fc
  .tuple(fc.stringMatching(/^[a-z0-9-]{1,32}$/), fc.stringMatching(/^[0-9a-f]{64}$/))
  .map(([kind, hash]) => `${kind}:${hash}`)

/** ASCII most often, else any code point, so that other scripts, U+FEFF and U+0000 come up; never half a surrogate pair. */
const characters = fc
  .oneof(
    { arbitrary: fc.integer({ min: 0x20, max: 0x7e }), weight: 3 },
    { arbitrary: fc.constantFrom(0, 0x7f, 0x80, 0x7ff, 0x800, 0xfeff, 0xffff, 0x10000, 0x10ffff), weight: 1 },
    { arbitrary: fc.nat(0x10f7ff).map((x) => (x < 0xd800 ? x : x + 0x800)), weight: 1 },
  )
  .map((code) => String.fromCodePoint(code))

const strings = (minLength: number, maxLength: number) => fc.string({ unit: characters, minLength, maxLength })

const stringOf = (schema: Schema): fc.Arbitrary<string> => {
  const syntax = syntaxOf(schema)
  if (syntax === 'peerId') return peerIds
  if (syntax === 'engineId') return engineIds
  const max = limitOf(schema, 'max_length') ?? LENGTH_MAX
  // A code point takes up to two of the UTF-16 units in which the limit counts.
  return strings(limitOf(schema, 'min_length') ?? 0, Math.min(Math.floor(max / 2), LENGTH_MAX))
}

const numberOf = (schema: Schema) =>
  fc.maxSafeInteger().chain((wide) => {
    const min = limitOf(schema, 'min_value') ?? 0
    const max = limitOf(schema, 'max_value') ?? Number.MAX_SAFE_INTEGER
    return fc.oneof(
      fc.constantFrom(min, max),
      fc.integer({ min, max }),
      fc.constant(Math.min(max, Math.max(min, wide))),
    )
  })

const listOf = (schema: Schema) => {
  const minLength = limitOf(schema, 'min_length') ?? 0
  const maxLength = Math.min(limitOf(schema, 'max_length') ?? ITEMS_MAX, minLength + ITEMS_MAX)
  return fc.array(arbitraryOf(schema.item as Schema), { minLength, maxLength })
}

const bytesOf = ({ lengthMin = 0, lengthMax = 0 }: Schema) =>
  fc.uint8Array({ minLength: lengthMin, maxLength: Math.min(lengthMax, lengthMin + LENGTH_MAX) })

const recordOf = (entries: Readonly<Record<string, Schema>>) =>
  fc.record(Object.fromEntries(Object.entries(entries).map(([key, one]) => [key, arbitraryOf(one.wrapped ?? one)])), {
    noNullPrototype: true,
    requiredKeys: Object.keys(entries).filter((key) => !entries[key]?.wrapped),
  })

/** Draws what fits the schema. Throws for a kind of schema that protocol/ did not use so far. */
export const arbitraryOf = (schema: Schema): fc.Arbitrary<unknown> => {
  switch (schema.type) {
    case 'literal':
      return fc.constant(schema.literal)
    case 'picklist':
      return fc.constantFrom(...(schema.options as unknown[]))
    case 'boolean':
      return fc.boolean()
    case 'number':
      return numberOf(schema)
    case 'string':
      return stringOf(schema)
    case 'array':
      return listOf(schema)
    case 'custom':
      return schema.lengthMax === undefined ? cids : bytesOf(schema)
    case 'strict_object':
      return recordOf(schema.entries as Record<string, Schema>)
    case 'variant':
      return fc.oneof(...(schema.options as Schema[]).map(arbitraryOf))
    default:
      throw new Error(`no arbitrary for a schema of type ${schema.type}; add one`)
  }
}

/** Any Value, as `ensureValue` returns it. */
export const values: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom(null, true, false),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => (x === 0 ? 0 : x)),
    strings(0, LENGTH_MAX),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
    fc.uint8Array({ maxLength: LENGTH_MAX }),
    fc.array(tie('value'), { maxLength: 5 }),
    fc
      .dictionary(
        fc.oneof(strings(0, 12), fc.constantFrom('/', '__proto__', 'constructor', 'bytes', 'asCID')),
        tie('value'),
        {
          maxKeys: 5,
          noNullPrototype: true,
        },
      )
      .filter((record) => Object.keys(record).length !== 1 || !Object.hasOwn(record, '/')),
  ),
})).value
