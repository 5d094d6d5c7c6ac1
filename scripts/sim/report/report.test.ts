import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { Pictures } from '../../../simulations/pictures/pictures.ts'
import { csvOf, PAGE_ROWS_MAX, type Reported, writeReport } from './report.ts'

const PICTURES: Pictures = {
  tables: {
    looks: { at_s: [0, 1.5], live_share: [0.25, Number.NaN] },
    hops: { hops: [1, 2], looks: [7, 3] },
  },
  plots: [
    {
      ...{ title: 'Alive </script> or not', about: 'Share & time.', table: 'looks', y: 'share', as: 'line' },
      ...{ x: { column: 'at_s', label: 's' }, lines: [{ column: 'live_share', label: 'alive' }] },
    },
    {
      ...{ title: 'Hops', about: 'By look-up.', table: 'hops', y: 'look-ups', as: 'bars' },
      ...{ x: { column: 'hops', label: 'hops' }, lines: [{ column: 'looks', label: 'look-ups' }] },
    },
  ],
}

const REPORTED: Reported = {
  ...{ name: 'odd', about: 'odd <ones>', seed: 7, peers: 3, commit: 'abc', command: 'npm run sim -- odd --seed 7' },
  ...{ figures: { live_share: 0.25 }, violations: [], pictures: PICTURES },
}

const folderFor = () => {
  const folder = mkdtempSync(join(tmpdir(), 'wayside-report-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const runIn = (page: string): Reported =>
  JSON.parse(/<script type="application\/json" id="run">(.*?)<\/script>/s.exec(page)?.[1] as string)

test('of a table that is too long for a page that has the first rows, and says so; its CSV has all', async () => {
  const rows = Array.from({ length: PAGE_ROWS_MAX + 1 }, (_, i) => i)
  const tables = { ...PICTURES.tables, hops: { hops: rows, looks: rows } }
  const folder = folderFor()
  const file = await writeReport(folder, { ...REPORTED, pictures: { ...PICTURES, tables } })
  const { pictures } = runIn(readFileSync(file, 'utf8'))
  expect(pictures?.tables.hops?.looks).toEqual(rows.slice(0, -1))
  expect(pictures?.plots.map(({ about }) => about)).toEqual([
    'Share & time.',
    `By look-up. The first ${PAGE_ROWS_MAX} of ${PAGE_ROWS_MAX + 1}: hops.csv has all of them.`,
  ])
  expect(readFileSync(join(folder, 'hops.csv'), 'utf8').trimEnd().split('\n')).toHaveLength(1 + rows.length)
})

test('a report is one page, which holds every plot and needs nothing else, and a file for each table', async () => {
  const folder = folderFor()
  const page = readFileSync(await writeReport(join(folder, 'new'), REPORTED), 'utf8')
  expect(runIn(page)).toEqual(JSON.parse(JSON.stringify(REPORTED)))
  expect(page).not.toMatch(/<(script|link|img)[^>]* (src|href)=|@import|url\(/)
  // The run, the page's own script, and nothing that ends either early.
  expect(page.match(/<\/script>/g)).toHaveLength(2)
  expect(readdirSync(join(folder, 'new')).sort()).toEqual(['hops.csv', 'looks.csv', 'report.html'])
  expect(readFileSync(join(folder, 'new', 'looks.csv'), 'utf8')).toBe('at_s,live_share\n0,0.25\n1.5,\n')
})

test('what is no number is empty in a table', () => {
  const figures = [1, Number.NaN, Number.POSITIVE_INFINITY, 0.1]
  expect(csvOf({ row: [0, 1, 2, 3], figures })).toBe('row,figures\n0,1\n1,\n2,\n3,0.1\n')
})
