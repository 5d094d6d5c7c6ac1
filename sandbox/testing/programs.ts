/** The programs that must come out the same everywhere: each export of each module in programs/ is one. */
import { readFileSync } from 'node:fs'
import { EFFECT_KINDS } from '../../protocol/effects.ts'
import { MIB } from '../../protocol/limits.ts'
import type { Binding } from '../../protocol/records.ts'
import { LIMITS, type Program, programOf } from './program.ts'
import { MODULES } from './programs/modules.ts'

interface Subject {
  file: URL
  changes?: Partial<Program>
}

const at = (path: string): URL => new URL(path, import.meta.url)

const BINDINGS: Binding[] = [
  { name: 'API', kind: 'fetch' },
  { name: 'DB', kind: 'state' },
  { name: 'KEY', kind: 'secret' },
  { name: 'OTHER', kind: 'state' },
]

const SUBJECTS: Record<string, Subject> = {
  numerics: { file: at('./programs/numerics.js') },
  integers: { file: at('./programs/integers.js') },
  text: { file: at('./programs/text.js') },
  sorting: { file: at('./programs/sorting.js') },
  regexps: { file: at('./programs/regexps.js') },
  dates: { file: at('./programs/dates.js') },
  json: { file: at('./programs/json.js') },
  errors: { file: at('./programs/errors.js') },
  generators: { file: at('./programs/generators.js') },
  asynchrony: { file: at('./programs/asynchrony.js') },
  races: { file: at('./programs/races.js'), changes: { effects: ['call'] } },
  proxies: { file: at('./programs/proxies.js') },
  buffers: { file: at('./programs/buffers.js') },
  recursion: { file: at('./programs/recursion.js') },
  nesting: { file: at('./programs/nesting.js') },
  web: { file: new URL('./programs/web.js', import.meta.url) },
  depth: { file: at('./programs/depth.js') },
  fuel: { file: at('./programs/fuel.js'), changes: { limits: { ...LIMITS, fuel: 300_000 } } },
  memory: { file: at('./programs/memory.js'), changes: { limits: { ...LIMITS, memory_bytes: 17 * MIB } } },
  collections: { file: at('./programs/collections.js') },
  classes: { file: at('./programs/classes.js') },
  control: { file: at('./programs/control.js') },
  platform: { file: at('./programs/platform.js') },
  crossing: { file: at('./programs/crossing.js') },
  bindings: { file: at('./programs/bindings.js'), changes: { effects: EFFECT_KINDS, env: BINDINGS } },
  traces: { file: at('./programs/traces.js'), changes: { effects: ['call'], traced: true } },
}

const SHOW = readFileSync(at('./programs/show.js'), 'utf8')

const EXPORT = /^export (?:async )?(?:const|function\*?) (?<name>\w+)/gm

const programsIn = (subject: string, { file, changes }: Subject): Program[] => {
  const code = readFileSync(file, 'utf8')
  const names = Array.from(code.matchAll(EXPORT), ({ groups }) => groups?.name as string)
  return names.map((exportName) => programOf(`${subject}.${exportName}`, SHOW + code, { exportName, ...changes }))
}

/** As `valueFromJson` reads them. */
const INPUTS: string[] = [
  'null',
  'true',
  '-0',
  '1e308',
  '5e-324',
  '9007199254740993',
  '"\\u0000 é 😀 \\u2028"',
  '[]',
  '{"b":1,"a":[{"10":1,"9":2}],"":3}',
  '{"__proto__":1,"constructor":2}',
  '{"/":{"bigint":"-9223372036854775808"}}',
  '[{"/":{"bytes":"AAEC/w=="}},{"/":{"bytes":""}},{"/":{"bigint":"18446744073709551615"}}]',
  `${'['.repeat(100)}1${']'.repeat(100)}`,
  JSON.stringify(Array.from({ length: 500 }, (_, i) => ({ i, sqrt: Math.sqrt(i), text: `${i}é` }))),
]

const valuesPrograms = (): Program[] =>
  programsIn('values', { file: at('./programs/values.js') }).flatMap((program) =>
    INPUTS.map((input, i) => ({ ...program, name: `${program.name} ${i}`, input })),
  )

const loadingPrograms = (): Program[] =>
  Object.entries(MODULES).map(([name, code]) => programOf(`loading.${name}`, code, { effects: ['call'] }))

export const PROGRAMS: readonly Program[] = [
  ...Object.entries(SUBJECTS).flatMap(([name, one]) => programsIn(name, one)),
  ...valuesPrograms(),
  ...loadingPrograms(),
]
