import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { encodeValue } from '../../protocol/values.ts'
import { seedFor } from '../../scripts/test/seed.ts'
import { seededRandom } from '../../simulations/random.ts'
import { endLine, headerLine, readStateFile, type StateFileHeader, Tally } from './state-file.ts'

const ENTRIES = 2500
const CHECK_EVERY = 1000

const directory = mkdtempSync(join(tmpdir(), 'wayside-state-file-'))
afterAll(() => rmSync(directory, { recursive: true }))

const to = '12D3KooWMiRP4Nt62Abccr2GW62pRaMJM3887HcYkRSJ9wxKb9K7'
const about: StateFileHeader = { wayside: 'state', v: 1, namespace: 'shop', revision: 7, move: 'm', to }
const whole = (() => {
  const tally = new Tally()
  const entries = Array.from({ length: ENTRIES }, (_, n) =>
    tally.add({ key: `key/${`${n}`.padStart(5, '0')}`, value: encodeValue({ n, bytes: Uint8Array.of(n % 256) }) }),
  )
  return [headerLine(about), ...entries, endLine(tally.sum)].join('')
})()

const read = async (text: string | Uint8Array) => {
  const file = join(directory, 'export.ndjson')
  writeFileSync(file, text)
  const lines = readStateFile(file)
  for (let found = 0; ; found++) {
    const { done, value } = await lines.next()
    if (done) return { found, sum: value }
  }
}

test('what was written is read again', async () => {
  const { found, sum } = await read(whole)
  expect(found).toBe(ENTRIES + 1)
  expect(sum.entries).toBe(ENTRIES)
})

test('cut off anywhere it is refused, and says in which line', async () => {
  const { below } = seededRandom(seedFor('cut off'))
  // Without its last line feed all of it is there.
  for (const bytes of [
    0,
    1,
    whole.indexOf('\n') + 1,
    whole.length - 2,
    ...Array.from({ length: 30 }, () => below(whole.length - 1)),
  ]) {
    const cut = whole.slice(0, bytes)
    const line = cut.split('\n').length
    const refused = (await read(cut).catch((cause) => cause)) as { code: string; fields: { line: number } }
    expect(refused).toMatchObject({ code: 'E_INPUT' })
    expect([line, line - 1]).toContain(refused.fields.line)
  }
})

test('with one byte changed it is refused, and says where to a thousand lines', async () => {
  const { below } = seededRandom(seedFor('changed'))
  const bytes = Buffer.from(whole)
  for (let i = 0; i < 60; i++) {
    const at = bytes.indexOf(10) + 1 + below(bytes.length - bytes.indexOf(10) - 2)
    const damaged = Buffer.from(bytes)
    damaged[at] = (damaged[at] as number) ^ (1 << below(7))
    const line = bytes.subarray(0, at).toString().split('\n').length
    const refused = (await read(damaged).catch((cause) => cause)) as { code: string; fields: { line: number } }
    expect(refused).toMatchObject({ code: 'E_INPUT' })
    expect(refused.fields.line).toBeGreaterThanOrEqual(line)
    expect(refused.fields.line).toBeLessThanOrEqual(line + CHECK_EVERY + 2)
  }
})

test.each([
  ['nothing', '', /line 0: the file ends here/],
  ['something else', 'name,price\n', /line 1: this is no export/],
  ['of another format', headerLine({ ...about, v: 2 as never }), /line 1: this is no export/],
  [
    'keys out of order',
    `${headerLine(about)}{"key":"b","value":1}\n{"key":"a","value":1}\n`,
    /line 3: key "a" does not come after "b"/,
  ],
  ['a key twice', `${headerLine(about)}{"key":"a","value":1}\n{"key":"a","value":1}\n`, /line 3/],
  ['a key that is none', `${headerLine(about)}{"key":"","value":1}\n`, /line 2: its key is none/],
  ['a value that is none', `${headerLine(about)}{"key":"a","value":1e999}\n`, /line 2/],
  ['more behind the end', `${whole}{"key":"z","value":1}\n`, /behind the end/],
])('%s is refused', async (_, text, message) => {
  await expect(read(text)).rejects.toMatchObject({ code: 'E_INPUT', message: expect.stringMatching(message) })
})
