/** docs/LIMITS.md says what the code does: every bounded part of every message, every limit with its value, every test. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import * as networkLimits from '../peer/network/limits.ts'
import { rowsOf, SHARED } from '../scripts/protocol/schema-rows.ts'
import { MESSAGE_CASES } from '../scripts/protocol/targets.ts'
import { ERRORS } from './errors.ts'
import * as protocolLimits from './limits.ts'

const ROOT = join(import.meta.dirname, '..')
const DOCUMENT = 'docs/LIMITS.md'
const text = readFileSync(join(ROOT, DOCUMENT), 'utf8')

/** Rows of the tables under a heading, by their first cell; code marks are left in. */
const tableUnder = (heading: string): Map<string, string[]> => {
  const section = text.split(/^## /m).find((one) => one.startsWith(`${heading}\n`))
  if (section === undefined) throw new Error(`${DOCUMENT} has no section "${heading}"`)
  const rows = section.split('\n').filter((line) => line.startsWith('| `'))
  return new Map(
    rows
      .map((line) =>
        line
          .slice(1, -1)
          .split('|')
          .map((cell) => cell.trim()),
      )
      .map((row) => [row[0]!, row]),
  )
}

const SIZED = /^(?:list of|text,|bytes,|.*payload up to)/

/** `ids` list of 1 to 1024; … : what of a message can be long, as the specification words it. */
const boundedParts = (schema: Parameters<typeof rowsOf>[0]): string => {
  const parts = rowsOf(schema).filter(([, words]) => SIZED.test(words))
  return parts.map(([field, words]) => `\`${field}\` ${words}`).join('; ') || 'none'
}

describe('each message', () => {
  const frames = tableUnder('Frames')
  const records = tableUnder('Records')
  const named = [...Object.entries(SHARED), ...MESSAGE_CASES.map(({ name, schema }) => [name, schema] as const)]

  test.each(named)('%s', (name, schema) => {
    const isFrame = /^(block )?frame /.test(name)
    const heading = isFrame ? 'Frames' : 'Records'
    const row = (isFrame ? frames : records).get(`\`${name}\``)
    const parts = boundedParts(schema)
    const rest = isFrame
      ? 'HOW MANY AN HONEST PEER SENDS AND HOW MANY ARE TAKEN | WHAT HAPPENS BEYOND, WITH ITS CODE'
      : 'WHERE IT STANDS'
    const advice = `${DOCUMENT}, section "${heading}", needs this row (with the capitals filled in):\n| \`${name}\` | ${parts} | ${rest} |\n`
    expect(row?.[1], advice).toBe(parts)
    expect(row?.slice(2).every((cell) => cell !== '') && row.length, advice).toBe(isFrame ? 4 : 3)
  })

  test('no other message', () => {
    const known = named.map(([name]) => `\`${name}\``)
    expect([...frames.keys(), ...records.keys()].filter((name) => !known.includes(name))).toEqual([])
  })
})

/** Constants as they stand in a file: sums and products of numbers and of other constants. */
const valueIn = (path: string, name: string): number => {
  const source = readFileSync(join(ROOT, path), 'utf8')
  const known: Record<string, unknown> = { ...protocolLimits, ...networkLimits }
  const written = new RegExp(`^(?:export )?const ${name} = ([^\\n]+)$`, 'm').exec(source)?.[1]
  if (written === undefined) throw new Error(`${path} has no constant ${name}; ${DOCUMENT} names it`)
  const factor = (word: string): number => {
    const number = Number(word.replaceAll('_', ''))
    if (!Number.isNaN(number)) return number
    return typeof known[word] === 'number' ? known[word] : valueIn(path, word)
  }
  const product = (term: string) => term.split('*').reduce((value, word) => value * factor(word.trim()), 1)
  return written.split('+').reduce((sum, term) => sum + product(term), 0)
}

const UNITS: Record<string, number> = {
  '': 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  ms: 1,
  s: 1000,
  min: 60_000,
  h: 3_600_000,
}

/** `5 MiB`, `10,000`, `20 s`: as bytes, a count or ms. */
const amountOf = (cell: string): number => {
  const [, digits = '', unit = ''] = /^([\d,.]+) ?(KiB|MiB|GiB|ms|s|min|h|)(?: [a-z ]+)?$/.exec(cell) ?? []
  return Number(digits.replaceAll(',', '') || Number.NaN) * (UNITS[unit] as number)
}

/** `LIMITS.md` names a constant as `path NAME`. */
const limitRows = [...text.matchAll(/^\| `(\S+\.ts) (\w+)` \| ([^|]+) \|/gm)].map(
  ([, path, name, value]) => [path as string, name as string, (value as string).trim()] as const,
)

describe('each limit', () => {
  test.each(limitRows)('%s %s', (path, name, value) => {
    expect(amountOf(value), `${DOCUMENT} says ${value}`).toBe(valueIn(path, name))
  })

  test.each([
    ['protocol/limits.ts', protocolLimits],
    ['peer/network/limits.ts', networkLimits],
  ])('of %s is there, with its reason', (path, limits) => {
    const named = limitRows.filter(([at]) => at === path).map(([, name]) => name)
    const missing = Object.keys(limits).filter((name) => !['KIB', 'MIB'].includes(name) && !named.includes(name))
    const advice = `${DOCUMENT} needs a row for each: | \`${path} NAME\` | VALUE | WHY | WHAT HAPPENS BEYOND | \`TEST FILE\`, "TEST" |`
    expect(missing, advice).toEqual([])
  })
})

test('each limit has a reason, says what happens beyond it, and names its test', () => {
  const rows = text.split('\n').filter((line) => /^\| `\S+\.ts \w+` \|/.test(line))
  const cells = rows.map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  )
  expect(cells.filter((row) => row.length !== 5 || row.includes('') || !row[4]?.includes('.test.ts`'))).toEqual([])
})

test('each test that is named exists', () => {
  const named = [...text.matchAll(/`([\w./-]+\.test\.ts)`(?:, "([^"]+)")?/g)]
  expect(named.length).toBeGreaterThan(20)
  const wrong = named.filter(([, path = '', title]) => {
    if (!existsSync(join(ROOT, path))) return true
    return title !== undefined && !readFileSync(join(ROOT, path), 'utf8').includes(title)
  })
  expect(wrong.map(([words]) => words)).toEqual([])
})

test('each code that is named is one', () => {
  const codes = [...text.matchAll(/\bE_[A-Z_]+/g)].map(([code]) => code)
  expect(codes.filter((code) => !Object.hasOwn(ERRORS, code))).toEqual([])
})
