/** Every limit of a schema, tried at it and past it. */
import { rawCid } from '../../protocol/cid.ts'
import { peerIdFromPublicKey } from '../../protocol/identity.ts'
import { limitOf, type Schema, syntaxOf } from './arbitraries.ts'
import { crypto } from './test-keys.ts'

/** One place in a message: what may stand there at most and at least, and what may not. Each is a whole message. */
export interface LimitCase {
  /** As in `items.0.id`; empty for the message itself. */
  readonly path: string
  readonly good: readonly unknown[]
  readonly bad: readonly unknown[]
}

const PEER_ID = peerIdFromPublicKey(new Uint8Array(32))
const ENGINE_ID = `quickjs:${'0'.repeat(64)}`
const aCid = rawCid(crypto, new Uint8Array(0))

const stringCases = (schema: Schema): Omit<LimitCase, 'path'> => {
  const syntax = syntaxOf(schema)
  if (syntax === 'peerId')
    return { good: [PEER_ID], bad: ['', PEER_ID.slice(1), `${PEER_ID}1`, `12D3KooW${'z'.repeat(44)}`, 'Qm'] }
  if (syntax === 'engineId') {
    const hash = '0'.repeat(64)
    const bad = [
      '',
      hash,
      `:${hash}`,
      `Quick:${hash}`,
      `quickjs:${hash}0`,
      `quickjs:${'G'.repeat(64)}`,
      `${ENGINE_ID}\n`,
    ]
    return { good: [ENGINE_ID, `${'x'.repeat(32)}:${hash}`], bad: [...bad, `${'x'.repeat(33)}:${hash}`] }
  }
  const min = limitOf(schema, 'min_length') ?? 0
  const max = limitOf(schema, 'max_length') as number
  return {
    good: ['x'.repeat(min), 'x'.repeat(max), '\u{1f600}'.repeat(max / 2)],
    bad: [...(min > 0 ? ['x'.repeat(min - 1)] : []), 'x'.repeat(max + 1), `x${'\u{1f600}'.repeat(max / 2)}`],
  }
}

const numberCases = (schema: Schema): Omit<LimitCase, 'path'> => {
  const min = limitOf(schema, 'min_value') as number
  const max = limitOf(schema, 'max_value') as number
  const past = max < Number.MAX_SAFE_INTEGER ? max + 1 : 2 ** 60
  return { good: [min, max], bad: [min - 1, past, min + 0.5, -1.5, 1e300] }
}

const bytesCases = ({ lengthMin = 0, lengthMax = 0 }: Schema): Omit<LimitCase, 'path'> => ({
  good: [new Uint8Array(lengthMin), new Uint8Array(lengthMax)],
  bad: [...(lengthMin > 0 ? [new Uint8Array(lengthMin - 1)] : []), new Uint8Array(lengthMax + 1)],
})

const leafCases = (schema: Schema): Omit<LimitCase, 'path'> => {
  switch (schema.type) {
    case 'literal':
      return {
        good: [schema.literal],
        bad: [schema.literal === 1 ? 2 : 1, 0, 'x', String(schema.literal)].filter((x) => x !== schema.literal),
      }
    case 'picklist':
      return { good: schema.options as unknown[], bad: ['', 'x', 'E_NOTHING', 'toString', 0] }
    case 'boolean':
      return { good: [true, false], bad: [0, 1, 'true'] }
    case 'number':
      return numberCases(schema)
    case 'string':
      return stringCases(schema)
    case 'custom':
      return schema.lengthMax === undefined ? { good: [aCid], bad: [aCid.bytes, aCid.toString()] } : bytesCases(schema)
    default:
      throw new Error(`no limits known for a schema of type ${schema.type}; add them`)
  }
}

/** The smallest thing that fits. */
export const leastOf = (schema: Schema): unknown => {
  if (schema.type === 'strict_object')
    return Object.fromEntries(
      Object.entries(schema.entries ?? {}).flatMap(([key, one]) => (one.wrapped ? [] : [[key, leastOf(one)]])),
    )
  if (schema.type === 'variant') return leastOf(schema.options?.[0] as Schema)
  if (schema.type === 'array')
    return Array.from({ length: limitOf(schema, 'min_length') ?? 0 }, () => leastOf(schema.item as Schema))
  return leafCases(schema).good[0]
}

/** Things of other kinds than any schema here allows in this place. */
const strangers = (schema: Schema): unknown[] => {
  const all = { boolean: true, number: 7, string: 'x', array: [], strict_object: {}, custom: new Uint8Array(5) }
  const own = schema.type === 'variant' ? 'strict_object' : schema.type
  const others = Object.entries(all).filter(([type]) => type !== own)
  const scalar = ['literal', 'picklist', 'boolean', 'number', 'string', 'custom'].includes(schema.type)
  return [
    null,
    0.5,
    ...others.filter(([type]) => !scalar || ['array', 'strict_object'].includes(type)).map(([, x]) => x),
  ]
}

function* arrayCases(schema: Schema, path: string): Generator<LimitCase> {
  const item = schema.item as Schema
  const min = limitOf(schema, 'min_length') ?? 0
  const max = limitOf(schema, 'max_length') as number
  const filled = (length: number) => Array(length).fill(leastOf(item))
  yield { path, good: [filled(min), filled(max)], bad: [...(min > 0 ? [filled(min - 1)] : []), filled(max + 1)] }
  const rest = filled(Math.max(0, min - 1))
  for (const { path: at, good, bad } of limitCases(item, join(path, '0')))
    yield { path: at, good: good.map((x) => [x, ...rest]), bad: bad.map((x) => [x, ...rest]) }
}

function* objectCases(schema: Schema, path: string): Generator<LimitCase> {
  const entries = schema.entries as Record<string, Schema>
  const least = leastOf(schema) as Record<string, unknown>
  for (const key of ['zz', 'toString', 'constructor', '__proto__', ''])
    yield { path: join(path, key), good: [], bad: [Object.fromEntries([...Object.entries(least), [key, 1]])] }
  for (const [key, one] of Object.entries(entries)) {
    const { [key]: _left, ...without } = least
    yield { path: join(path, key), good: one.wrapped ? [without] : [], bad: one.wrapped ? [] : [without] }
    for (const { path: at, good, bad } of limitCases(one.wrapped ?? one, join(path, key)))
      yield { path: at, good: good.map((x) => ({ ...least, [key]: x })), bad: bad.map((x) => ({ ...least, [key]: x })) }
  }
}

const join = (path: string, key: string) => (path === '' ? key : `${path}.${key}`)

export function* limitCases(schema: Schema, path = ''): Generator<LimitCase> {
  yield { path, good: [], bad: strangers(schema) }
  if (schema.type === 'array') yield* arrayCases(schema, path)
  else if (schema.type === 'strict_object') yield* objectCases(schema, path)
  else if (schema.type === 'variant') for (const one of schema.options as Schema[]) yield* limitCases(one, path)
  else yield { path, ...leafCases(schema) }
}
