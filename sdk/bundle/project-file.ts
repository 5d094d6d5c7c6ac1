/** `wayside.json`: found, read and checked. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import * as v from 'valibot'
import { MeshError } from '../../protocol/errors.ts'
import { type Grant, type Grants, type WrittenGrant, writtenGrantSchema } from '../../protocol/grants.ts'
import {
  FUEL_MAX,
  MEMORY_BYTES_MAX,
  MEMORY_BYTES_MIN,
  MIB,
  NAME_CHARS_MAX,
  TIMEOUT_MS_MAX,
} from '../../protocol/limits.ts'
import { shownPath } from './shown-path.ts'
import { DURATION, parseDuration, parseSize, SIZE } from './units.ts'

export const PROJECT_FILE = 'wayside.json'

/** Promised for later versions: named in the error, so that nobody takes them for a typing mistake. */
const RESERVED = ['triggers', 'routes']

const described = <S extends v.GenericSchema>(schema: S, text: string) => v.pipe(schema, v.description(text))

const text = () => v.pipe(v.string(), v.minLength(1), v.maxLength(NAME_CHARS_MAX))

const identifier = () => v.pipe(text(), v.regex(/^[A-Za-z_$][\w$]*$/, 'expected an identifier, as in env.DB'))

const fuel = v.pipe(
  v.number(),
  v.integer('expected a whole number'),
  v.minValue(1, 'expected at least 1'),
  v.maxValue(FUEL_MAX, `expected at most ${FUEL_MAX}`),
)

const memory = v.pipe(
  v.string(),
  v.regex(SIZE, 'expected a SIZE such as "64MiB"'),
  v.check(
    (size) => {
      const bytes = parseSize(size)!
      return bytes >= MEMORY_BYTES_MIN && bytes <= MEMORY_BYTES_MAX
    },
    `expected between ${MEMORY_BYTES_MIN / MIB}MiB and ${MEMORY_BYTES_MAX / MIB}MiB`,
  ),
)

const timeout = v.pipe(
  v.string(),
  v.regex(DURATION, 'expected a DURATION such as "30s"'),
  v.check((duration) => parseDuration(duration)! <= TIMEOUT_MS_MAX, `expected at most ${TIMEOUT_MS_MAX / 3_600_000}h`),
)

const limits = v.strictObject({
  fuel: v.optional(described(fuel, 'deterministic steps')),
  memory: v.optional(described(memory, 'a SIZE: 64MiB, 1GiB')),
  timeout: v.optional(described(timeout, 'a DURATION: 500ms, 30s, 5m')),
})

const LEVEL = /^(none|audit|self|quorum:[1-9][0-9]?)$/

export const projectSchema = v.strictObject({
  $schema: v.optional(v.string()),
  name: v.optional(described(text(), 'what the function is called in lists and logs')),
  main: v.optional(described(text(), 'the file of the function, relative to this one')),
  verify: v.optional(
    described(
      v.pipe(v.string(), v.regex(LEVEL, 'expected none, audit, self or quorum:N')),
      'how an answer is checked: none, audit, self or quorum:N',
    ),
  ),
  limits: v.optional(limits),
  env: v.optional(
    described(
      v.record(identifier(), writtenGrantSchema),
      'what the function finds in its second argument, and what it is granted there',
    ),
  ),
})

/** Limits as the protocol counts them. */
export interface ProjectLimits {
  fuel?: number
  memoryBytes?: number
  timeoutMs?: number
}

export interface Project {
  name?: string
  main?: string
  verify?: string
  limits?: ProjectLimits
  env?: Grants
}

/** The nearest folder from `from` upwards that holds package.json or wayside.json; undefined where no project is. */
export const findProject = (from: string): string | undefined => {
  if (existsSync(join(from, 'package.json')) || existsSync(join(from, PROJECT_FILE))) return from
  const parent = dirname(from)
  return parent === from ? undefined : findProject(parent)
}

/** Reads wayside.json of `folder`; {} if there is none. Throws MeshError E_CONFIG that names key and file. */
export const readProject = (folder: string, cwd: string): Project => {
  const path = join(folder, PROJECT_FILE)
  if (!existsSync(path)) return {}
  return parseProject(readFileSync(path, 'utf8'), shownPath(path, cwd))
}

/** As `readProject`, from the text itself; `file` is how messages call it. */
export const parseProject = (json: string, file: string): Project => {
  const found = v.safeParse(projectSchema, parseJson(json, file))
  if (!found.success) throw refusal(found.issues[0], file)
  const { name, main, verify, env, limits: written } = found.output
  return defined({ name, main, verify, env: env && toGrants(env, file), limits: written && toLimits(written) })
}

/** What a secret leaves unsaid follows from the rest. Throws MeshError E_CONFIG where it does not. */
const toGrants = (env: Record<string, WrittenGrant>, file: string): Grants => {
  const origins = new Set(Object.values(env).flatMap((grant) => ('fetch' in grant ? grant.fetch : [])))
  const [only] = origins
  const settled = Object.entries(env).map(([name, grant]): [string, Grant] => {
    if (!('secret' in grant)) return [name, grant]
    const { origin = origins.size === 1 ? only : undefined, header = 'Authorization' } = grant
    if (origin !== undefined) return [name, { ...grant, origin, header }]
    const key = `env.${name}`
    throw new MeshError('E_CONFIG', { message: `${file}: ${key}: say its "origin": it goes to one only`, file, key })
  })
  return Object.fromEntries(settled)
}

const toLimits = ({ fuel, memory, timeout }: v.InferOutput<typeof limits>): ProjectLimits =>
  defined({
    fuel,
    memoryBytes: memory === undefined ? undefined : parseSize(memory),
    timeoutMs: timeout === undefined ? undefined : parseDuration(timeout),
  })

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

const defined = <T extends object>(fields: T): Defined<T> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T>

const parseJson = (json: string, file: string): object => {
  let parsed: unknown
  try {
    parsed = JSON.parse(json)
  } catch (cause) {
    throw new MeshError('E_CONFIG', { message: `${file} is not JSON: ${(cause as Error).message}`, file }, { cause })
  }
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed
  throw new MeshError('E_CONFIG', { message: `${file} holds no object; write {} or remove it`, file })
}

const refusal = (issue: v.BaseIssue<unknown>, file: string): MeshError => {
  const key = v.getDotPath(issue) ?? ''
  const at = `${file}: ${key}`
  const message = () => {
    if (RESERVED.includes(key)) return `${at} is reserved for a later version of wayside; remove it`
    if (issue.expected === 'never') return `${at} is not a key of ${PROJECT_FILE}; remove it`
    const expected = issue.message.startsWith('Invalid') ? `expected ${issue.expected}` : issue.message
    return `${at}: ${expected}; found ${issue.received}`
  }
  return new MeshError('E_CONFIG', { message: message(), file, key })
}
