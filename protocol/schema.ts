/** The pieces that message schemas are made of, and `message`, which turns a schema into a codec. */
import * as v from 'valibot'
import { type CID, isMeshCid } from './cid.ts'
import { decodeMessage, encodeCanonical } from './codec.ts'
import { compileDecoder } from './compiled-decoder.ts'
import { compileEncoder } from './compiled-encoder.ts'
import type { Schema } from './compiled-layout.ts'
import { MeshError } from './errors.ts'
import { isPeerId } from './identity.ts'
import { ADDRESS_CHARS_MAX, MESSAGE_CHARS_MAX, NAME_CHARS_MAX } from './limits.ts'

export const cid = () => v.custom<CID>(isMeshCid, 'expected a CIDv1, dag-cbor or raw, sha2-256')

export const integer = (min: number, max: number = Number.MAX_SAFE_INTEGER) =>
  v.pipe(v.number(), v.safeInteger(), v.minValue(min), v.maxValue(max))

export const instantMs = () => integer(0)

export const text = (charsMax: number = MESSAGE_CHARS_MAX) => v.pipe(v.string(), v.maxLength(charsMax))

export const name = () => v.pipe(v.string(), v.minLength(1), v.maxLength(NAME_CHARS_MAX))

export const address = () => v.pipe(v.string(), v.minLength(1), v.maxLength(ADDRESS_CHARS_MAX))

/** Its limits stay readable on the schema: the tests draw their inputs from there. */
export const bytes = (lengthMax: number, lengthMin = 0) =>
  Object.assign(
    v.custom<Uint8Array>(
      (x) => x instanceof Uint8Array && x.length <= lengthMax && x.length >= lengthMin,
      lengthMin === lengthMax ? `expected ${lengthMax} bytes` : `expected ${lengthMin} to ${lengthMax} bytes`,
    ),
    { lengthMin, lengthMax },
  )

export const list = <S extends v.GenericSchema>(item: S, lengthMax: number, lengthMin = 0) =>
  v.pipe(v.array(item), v.minLength(lengthMin), v.maxLength(lengthMax))

/** A field that may be missing; where it is, there is no sign of it in the bytes. */
export const optional = <S extends v.GenericSchema>(schema: S) => v.exactOptional(schema)

/** An Ed25519 PeerId in its text form. */
export const peerId = () => v.pipe(v.string(), v.check(isPeerId, 'expected an Ed25519 PeerId (12D3KooW…)'))

const ENGINE_ID = /^[a-z0-9-]{1,32}:[0-9a-f]{64}$/

/** Kind and SHA-256 of the exact sandbox build, as in `quickjs:5e41…`. */
export const engineId = () => v.pipe(v.string(), v.regex(ENGINE_ID, 'expected an engine ID (kind:sha256)'))

/** A message: its name in errors, its limit, its codec. */
export interface Message<T> {
  readonly name: string
  readonly bytesMax: number
  readonly schema: v.GenericSchema<T>
  encode(x: T): Uint8Array
  /** Throws MeshError E_MESSAGE or E_MESSAGE_LIMIT, with the message's name and the path of the fault. */
  decode(bytes: Uint8Array): T
}

export const fits = (schema: v.GenericSchema, x: unknown): boolean => v.is(schema, x)

/** `x`, if it fits the schema; MeshError E_MESSAGE with the path of the first fault otherwise. */
export const ensureShape = <T>(name: string, schema: v.GenericSchema<T>, x: unknown): T => {
  const parsed = v.safeParse(schema, x, { abortEarly: true })
  if (parsed.success) return parsed.output
  const issue = parsed.issues[0]
  const path = v.getDotPath(issue) ?? ''
  throw new MeshError('E_MESSAGE', { message: `${name}${path && `.${path}`}: ${issue.message}`, name, path })
}

const messageWith = <S extends v.GenericSchema>(
  name: string,
  bytesMax: number,
  given: S,
  encode: (x: unknown) => Uint8Array,
  /** Undefined for what does not fit. */
  read: (bytes: Uint8Array) => unknown,
): Message<v.InferOutput<S>> => {
  const schema = given as v.GenericSchema<v.InferOutput<S>>
  return {
    name,
    bytesMax,
    schema,
    encode,
    decode: (encoded) => {
      if (encoded.length > bytesMax) {
        const message = `${name}: ${encoded.length} bytes, over the limit of ${bytesMax}`
        throw new MeshError('E_MESSAGE_LIMIT', { message, name, limit_bytes: bytesMax })
      }
      // What does not fit is read once more, item by item, for an error that says where.
      return (read(encoded) as v.InferOutput<S> | undefined) ?? ensureShape(name, schema, decodeMessage(encoded, name))
    },
  }
}

/** Throws MeshError E_INTERNAL for a schema that the compiled codecs do not know. */
export const message = <S extends v.GenericSchema>(
  name: string,
  bytesMax: number,
  schema: S,
): Message<v.InferOutput<S>> => {
  const parts = schema as unknown as Schema
  return messageWith(name, bytesMax, schema, compileEncoder(parts), compileDecoder(parts))
}

/** What no other peer sees: its schema may be of any kind, and is read and written by the general way alone. */
export const localMessage = <S extends v.GenericSchema>(
  name: string,
  bytesMax: number,
  schema: S,
): Message<v.InferOutput<S>> => messageWith(name, bytesMax, schema, encodeCanonical, () => undefined)

/** The version field of a record. Another version is another schema; see README.md, "Versions". */
export const version = () => v.literal(1)
