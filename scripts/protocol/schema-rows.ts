/** Schemas in words, as the tables of protocol/README.md say them. */
import { envelope, signedBatch } from '../../protocol/envelope.ts'
import { ERRORS } from '../../protocol/errors.ts'
import { answer, guess, journalEntry } from '../../protocol/journal.ts'
import { credential, membershipChain } from '../../protocol/mesh.ts'
import { limits, OUTCOME_ERRORS } from '../../protocol/outcome.ts'
import { checkpoint, coordinate, taskTemplate } from '../../protocol/records.ts'
import { limitOf, type Schema, schemaOf, syntaxOf } from './arbitraries.ts'

/** Records that stand in several messages and have a section of their own. */
export const SHARED: Readonly<Record<string, Schema>> = {
  envelope: schemaOf(envelope(0)),
  'signed batch': schemaOf(signedBatch(0)),
  limits: schemaOf(limits()),
  environment: schemaOf(taskTemplate()).entries?.environment as Schema,
  'task template': schemaOf(taskTemplate()),
  'journal entry': schemaOf(journalEntry()),
  answer: schemaOf(answer()),
  guess: schemaOf(guess()),
  checkpoint: schemaOf(checkpoint()),
  credential: schemaOf(credential()),
  coordinate: schemaOf(coordinate()),
}

const CHAIN = schemaOf(membershipChain())

/** Equal for equal schemas, and for those that differ only in the limit on a payload. */
const shapeOf = (schema: Schema): string =>
  JSON.stringify(schema, (key, x) => (['lengthMax', 'message', '~standard'].includes(key) ? undefined : x))

const sharedName = (schema: Schema): string | undefined =>
  Object.entries(SHARED).find(([, one]) => shapeOf(one) === shapeOf(schema))?.[0]

const range = (min: number, max: number): string =>
  min === 0 ? `up to ${max}` : min === max ? `${max}` : `${min} to ${max}`

const picklist = (options: readonly unknown[]): string => {
  if (options.length === Object.keys(ERRORS).length) return 'error code'
  if (options.length === OUTCOME_ERRORS.length && options.every((one, i) => one === OUTCOME_ERRORS[i]))
    return 'outcome error code'
  return options.map((option) => `"${option}"`).join(' or ')
}

const numberWords = (schema: Schema): string => {
  const max = limitOf(schema, 'max_value') as number
  return `integer, ${limitOf(schema, 'min_value')} to ${max === Number.MAX_SAFE_INTEGER ? '2^53 - 1' : max}`
}

const stringWords = (schema: Schema): string => {
  const syntax = syntaxOf(schema)
  if (syntax) return syntax === 'peerId' ? 'PeerId' : 'engine ID'
  return `text, ${range(limitOf(schema, 'min_length') ?? 0, limitOf(schema, 'max_length') as number)} units`
}

/** In a shared record, whose payload has another limit in each place, there is none. */
const bytesWords = ({ lengthMin = 0, lengthMax }: Schema): string => {
  if (lengthMax === undefined) return 'CID'
  return lengthMax === 0 ? 'bytes' : `bytes, ${range(lengthMin, lengthMax)}`
}

const payloadWords = (schema: Schema): string => {
  const { payload, payloads } = schema.entries ?? {}
  const { lengthMax } = (payload ?? payloads?.item ?? {}) as Schema
  return lengthMax === undefined ? '' : `, payload up to ${lengthMax} bytes`
}

/** The type column. */
export const wordsFor = (schema: Schema): string => {
  const shared = sharedName(schema)
  if (shared) return `${shared}${payloadWords(schema)}`
  if (shapeOf(schema) === shapeOf(CHAIN)) return `membership chain`
  switch (schema.type) {
    case 'literal':
      return JSON.stringify(schema.literal)
    case 'picklist':
      return picklist(schema.options as unknown[])
    case 'number':
      return numberWords(schema)
    case 'string':
      return stringWords(schema)
    case 'custom':
      return bytesWords(schema)
    case 'array':
      return `list of ${range(limitOf(schema, 'min_length') ?? 0, limitOf(schema, 'max_length') as number)}: ${wordsFor(schema.item as Schema)}`
    case 'strict_object':
      return 'record'
    case 'exact_optional':
      return `${wordsFor(schema.wrapped as Schema)}; or missing`
    case 'variant':
      return `one of ${schema.options?.length} records`
    default:
      return schema.type
  }
}

/** Field and type of each row: `policy.admission`, `items[].id`; of a choice, the rows of each branch one after another. */
export const rowsOf = (schema: Schema, path = ''): [string, string][] => {
  if (schema.type === 'variant') return (schema.options as Schema[]).flatMap((option) => rowsOf(option, path))
  return Object.entries(schema.entries ?? {}).flatMap(([key, given]) => {
    const at = path + key
    const row: [string, string] = [at, wordsFor(given)]
    const one = given.wrapped ?? given
    const inside = one.type === 'array' ? (one.item as Schema) : one
    if (sharedName(inside) || shapeOf(one) === shapeOf(CHAIN)) return [row]
    return [row, ...rowsOf(inside, one.type === 'array' ? `${at}[].` : `${at}.`)]
  })
}
