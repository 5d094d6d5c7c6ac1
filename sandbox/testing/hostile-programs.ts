/**
 * Hostile guests: programs that try to get out, to hold on or to use up, by kind in hostile/. Each is a module below a line
 * that names it and says how it must end:
 *
 *     === NAME -> ok VALUE | CODE [PART OF THE MESSAGE] | inconclusive [{OPTION=…,…}]
 *
 * VALUE is JSON as `valueFromJson` reads it. Options: `fuel`; `memory`, bytes; `timeout`, ms, for what the clock ends and
 * nothing else; `repeat`, text that stands 100,000 times in place of `@`.
 */
import { readFileSync } from 'node:fs'
import { EFFECT_KINDS, type EffectKind } from '../../protocol/effects.ts'
import type { Answer, EffectRequest } from '../../protocol/journal.ts'
import { MIB } from '../../protocol/limits.ts'
import type { Limits } from '../../protocol/outcome.ts'
import type { Binding } from '../../protocol/records.ts'
import { decodeValue, encodeValue, type Value, valueFromJson } from '../../protocol/values.ts'
import { bytesOf } from '../fixture.ts'
import { type CodeForm, PLAIN_MODULE } from '../job.ts'

export interface HostileProgram {
  name: string
  code: Uint8Array
  form: CodeForm
  effects: readonly EffectKind[]
  limits: Limits
  timeoutMs: number
  /** It ends by its own limits, without a clock. */
  endsByItself: boolean
  /** The bytes of the value that it returns, or what it fails with. */
  expected: { value: Uint8Array } | { code: string; message: string }
}

const NARROW = { fuel: 1_000_000, memory: 20 * MIB }
const WIDE = { fuel: 20_000_000, memory: 64 * MIB }
const KINDS = {
  ...{ escapes: NARROW, results: NARROW, prototypes: NARROW, crossings: NARROW, promises: NARROW, modules: NARROW },
  ...{ memory: NARROW, fuel: NARROW, stack: WIDE, output: WIDE, bindings: NARROW },
}
const ENV: Binding[] = [
  { name: 'API', kind: 'fetch' },
  { name: 'DB', kind: 'state' },
  { name: 'KEY', kind: 'secret' },
]
const REPEATS = 100_000
const HEAD = /^=== (?<name>.+?) -> (?<end>.+?)(?: \{(?<options>\w+=.+)\})?$/

const programOf = (kind: keyof typeof KINDS, section: string): HostileProgram => {
  const [head = '', ...lines] = section.split('\n')
  const { name, end = '', options = '' } = HEAD.exec(head)?.groups ?? {}
  if (name === undefined) throw new Error(`hostile/${kind}.txt: not the head of a program: ${head}`)
  const given = { ...KINDS[kind], ...Object.fromEntries(options.split(',').map((option) => option.split('='))) }
  const [code = '', ...words] = end.split(' ')
  const rest = words.join(' ')
  return {
    name: `${kind}: ${name}`,
    code: bytesOf(given.repeat ? lines.join('\n').replace('@', given.repeat.repeat(REPEATS)) : lines.join('\n')),
    form: kind === 'bindings' ? { ...PLAIN_MODULE, env: ENV, effects: EFFECT_KINDS } : PLAIN_MODULE,
    effects: kind === 'bindings' ? EFFECT_KINDS : ['call'],
    limits: {
      fuel: Number(given.fuel),
      memory_bytes: Number(given.memory),
      output_bytes: 1 * MIB,
    },
    timeoutMs: Number(given.timeout ?? 60_000),
    endsByItself: given.timeout === undefined,
    expected: code === 'ok' ? { value: encodeValue(valueFromJson(rest)) } : { code, message: rest },
  }
}

const programsIn = (kind: keyof typeof KINDS): HostileProgram[] =>
  readFileSync(new URL(`./hostile/${kind}.txt`, import.meta.url), 'utf8')
    .split(/^(?==== )/m)
    .slice(1)
    .map((section) => programOf(kind, section.trimEnd()))

export const HOSTILE_PROGRAMS: readonly HostileProgram[] = (Object.keys(KINDS) as (keyof typeof KINDS)[]).flatMap(
  programsIn,
)

/** What the home of these programs answers: an empty page to a list, unless it is of `nothing`. */
export const answerTo = ({ kind, arguments: bytes }: EffectRequest): Answer => {
  const { ref, input, prefix } = decodeValue(bytes) as { ref?: string; input?: Value; prefix?: string }
  if (ref === '#fail') return { ok: false, code: 'E_FUNCTION_THREW', message: 'as asked' }
  if (kind === 'list' && prefix !== 'nothing') return { ok: true, value: encodeValue({ entries: [], more: true }) }
  return { ok: true, value: encodeValue(ref === '#echo' ? (input ?? null) : null) }
}
