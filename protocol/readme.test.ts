/** The wire spec says what the code does: every field, every limit, every code. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { rowsOf, SHARED, wordsFor } from '../scripts/protocol/schema-rows.ts'
import { MESSAGE_CASES } from '../scripts/protocol/targets.ts'
import { SIGNED_KINDS } from './envelope.ts'
import { ERRORS } from './errors.ts'
import { BLOCKS_PROTOCOL, BlockFrame, PEER_PROTOCOL, PeerFrame } from './frames.ts'
import { HOME_PROTOCOL, HomeFrame } from './home-frames.ts'
import * as limits from './limits.ts'
import { OUTCOME_ERRORS } from './outcome.ts'
import { USAGE_PROTOCOL, UsageFrame } from './tally.ts'

const readme = readFileSync(join(import.meta.dirname, 'README.md'), 'utf8')

/** The text under each heading, up to the next one. */
const sections = new Map(
  readme
    .split(/^#+ /m)
    .slice(1)
    .map((section) => [section.slice(0, section.indexOf('\n')), section.slice(section.indexOf('\n'))]),
)

const sectionOf = (heading: string): string => {
  const section = sections.get(heading)
  if (section === undefined) throw new Error(`README.md has no section "${heading}"`)
  return section
}

/** The cells of the tables in `text`, without their heads; code marks left out. */
const rowsIn = (text: string): string[][] =>
  text
    .split('\n')
    .filter((line, i, lines) => line.startsWith('|') && !line.startsWith('| ---') && !lines[i + 1]?.startsWith('| ---'))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim().replaceAll('`', '')),
    )

describe('messages', () => {
  const named = [...Object.entries(SHARED), ...MESSAGE_CASES.map(({ name, schema }) => [name, schema] as const)]

  test.each(named.filter(([name]) => name !== 'signed ticket'))('%s', (name, schema) => {
    expect(rowsIn(sectionOf(name)).map(([field, type]) => [field, type])).toEqual(rowsOf(schema))
  })

  test('signed ticket', () => {
    const { schema } = MESSAGE_CASES.find(({ name }) => name === 'signed ticket') ?? {}
    expect(wordsFor(schema as (typeof MESSAGE_CASES)[0]['schema'])).toBe('envelope, payload up to 32768 bytes')
    expect(sectionOf('signed ticket')).toContain('An envelope, payload up to 32768 bytes')
  })
})

test('limits', () => {
  const { KIB, MIB, ...named } = limits
  const ofMessages = MESSAGE_CASES.map(({ message }) => [message.name, message.bytesMax])
  const listed = rowsIn(sectionOf('Limits')).map(([name, value]) => [name, Number(value)])
  expect(Object.fromEntries(listed)).toEqual({ ...named, ...Object.fromEntries(ofMessages) })
})

test('error codes', () => {
  const known = Object.entries(ERRORS).map(([code, { meaning, blame, retry }]) => [code, meaning, blame, retry])
  expect(rowsIn(sectionOf('Error codes'))).toEqual(known)
  const listed = sectionOf('Error codes')
    .split('alike: ')[1]
    ?.split('.\n')[0]
    ?.match(/E_[A-Z_]+/g)
  expect(listed).toEqual(OUTCOME_ERRORS)
})

test('channels', () => {
  expect(rowsIn(sectionOf('Channels')).map(([protocol, , limit]) => [protocol, limit])).toEqual([
    [PEER_PROTOCOL, `${PeerFrame.bytesMax} bytes`],
    [BLOCKS_PROTOCOL, `${BlockFrame.bytesMax} bytes`],
    [HOME_PROTOCOL, `${HomeFrame.bytesMax} bytes`],
    [USAGE_PROTOCOL, `${UsageFrame.bytesMax} bytes`],
  ])
})

test('kinds of signatures', () => {
  const sentence = sectionOf('Signatures').match(/The kinds are ([^;]*);/)?.[1]
  expect(sentence?.match(/`([a-z-]+)`/g)).toEqual(SIGNED_KINDS.map((kind) => `\`${kind}\``))
})

test('vectors', () => {
  const files = readdirSync(join(import.meta.dirname, 'vectors')).filter((file) => /_(in)?valid\.txt$/.test(file))
  expect(rowsIn(sectionOf('Vectors')).map(([file]) => file)).toEqual(expect.arrayContaining(files))
})

test('links lead to sections', () => {
  const anchors = new Set([...sections.keys()].map((heading) => heading.toLowerCase().replaceAll(' ', '-')))
  const links = [...readme.matchAll(/\]\(#([^)]*)\)/g)].map(([, anchor]) => anchor)
  expect(links.length).toBeGreaterThan(10)
  expect(links.filter((anchor) => !anchors.has(anchor as string))).toEqual([])
})
