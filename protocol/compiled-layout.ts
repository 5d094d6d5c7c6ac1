/**
 * What the encoder and the decoder of a message have in common: which of its bytes its schema fixes. Keys, their order,
 * the heads of records, literals and what precedes the hash of a CID are joined to runs that are written, or compared,
 * at once.
 */
import { CID_PREFIX, CID_TAG, MAP, TAG } from './cbor.ts'
import { sortKeys, type Writer, written } from './cbor-writer.ts'
import { isMeshCid } from './cid.ts'
import { MeshError } from './errors.ts'

/** What the schemas of messages are made of (schema.ts), as valibot shows it. */
export interface Schema {
  readonly type: string
  readonly literal?: string | number | boolean
  readonly options?: readonly unknown[]
  /** Of a variant: the key by whose literal its options are told apart. */
  readonly key?: string
  readonly entries?: Readonly<Record<string, Schema>>
  readonly item?: Schema
  /** Of a field that may be missing. */
  readonly wrapped?: Schema
  /** The schema itself, then what it is narrowed by. */
  readonly pipe?: readonly { readonly type: string; readonly requirement?: unknown }[]
  /** Of a custom schema: what it takes. */
  readonly check?: unknown
  readonly lengthMin?: number
  readonly lengthMax?: number
}

/** What is thrown where a value or bytes do not fit; the slow and exact way then finds out why. */
export const MISFIT = new Error('this does not fit the schema')

/** Something with bytes that always come first; nothing else, if it is constant. */
export interface Part {
  readonly lead: Uint8Array
  readonly isConstant: boolean
}

export interface Field<P extends Part> {
  readonly key: string
  /** What comes before the value, from the end of the one before. Often empty. */
  readonly lead: Uint8Array
  readonly part: P
}

export interface RecordLayout<P extends Part> extends Part {
  readonly fields: readonly Field<P>[]
  /** What comes after the last value that is not constant. */
  readonly tail: Uint8Array
}

export const NO_BYTES: Uint8Array = new Uint8Array(0)

export const constantOf = (x: unknown): Uint8Array => written((writer) => writer.item(x, 0))

export const CID_LEAD = written((writer) => {
  writer.head(TAG, CID_TAG)
  writer.raw(CID_PREFIX)
})

type Entries = Readonly<Record<string, Schema>>

/** A record in which fields may be missing is a choice of records: those with all of their fields. */
export const formsOf = ({ entries = {} }: Schema): Entries[] => {
  let forms: Entries[] = [{}]
  for (const [key, { wrapped, ...given }] of Object.entries(entries)) {
    const filled = forms.map((form) => ({ ...form, [key]: wrapped ?? given }))
    forms = wrapped ? [...forms, ...filled] : filled
  }
  return forms
}

/** Of a record with these entries, whose values `compile` turns into parts. */
export const recordLayout = <P extends Part>(entries: Entries, compile: (schema: Schema) => P): RecordLayout<P> => {
  const keys = sortKeys(Object.keys(entries))
  let run: ((writer: Writer) => void)[] = [(writer) => writer.head(MAP, keys.length)]
  let lead: Uint8Array | undefined
  /** The run so far; the first one leads the record, and so joins what comes before it. */
  const endRun = () => {
    const bytes = written((writer) => {
      for (const write of run) write(writer)
    })
    run = []
    if (lead) return bytes
    lead = bytes
    return NO_BYTES
  }
  const fields = keys.map((key) => {
    const part = compile(entries[key] as Schema)
    run.push(
      (writer) => writer.text(key),
      (writer) => writer.raw(part.lead),
    )
    return { key, lead: part.isConstant ? NO_BYTES : endRun(), part }
  })
  const tail = endRun()
  return { lead: lead ?? NO_BYTES, isConstant: false, fields, tail }
}

/** What a pipe may narrow a schema by. */
const ACTIONS: Readonly<Record<string, readonly string[]>> = {
  number: ['safe_integer', 'min_value', 'max_value'],
  string: ['min_length', 'max_length', 'check', 'regex'],
  array: ['min_length', 'max_length'],
}

/**
 * The schema's type, but `bytes` or `cid` for what is valibot's `custom`. Throws MeshError E_INTERNAL if its pipe narrows
 * it by what is not known here, which would be passed over.
 */
export const kindOf = ({ type, check, lengthMax, pipe = [] }: Schema): string => {
  for (const action of pipe.slice(1))
    if (!ACTIONS[type]?.includes(action.type)) throw unknownSchema(`${type} with ${action.type}`)
  if (type !== 'custom') return type
  if (lengthMax !== undefined) return 'bytes'
  return check === isMeshCid ? 'cid' : type
}

export const unknownSchema = (kind: string): MeshError =>
  new MeshError('E_INTERNAL', `messages do not hold schemas of type ${kind}; teach the compiled codecs to`)
