/** Writes what came of a run as one page that needs nothing else, and its tables as CSV beside it. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { Table } from '../../../simulations/pictures/pictures.ts'
import type { Finding } from '../../../simulations/scenarios.ts'

export interface Reported extends Finding {
  /** Of the scenario. */
  name: string
  about: string
  seed: number
  peers: number
  commit: string
  /** What repeats the run. */
  command: string
}

const beside = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

const { uplot } = (
  JSON.parse(readFileSync(beside('../../../package.json'), 'utf8')) as { devDependencies: { uplot: string } }
).devDependencies

const bundled = async (): Promise<{ script: string; style: string }> => {
  const { outputFiles } = await build({
    entryPoints: [beside('./page.ts'), beside('./page.css')],
    outdir: '.',
    ...{ bundle: true, write: false, minify: true, format: 'iife', platform: 'browser', target: 'es2022' },
    ...{ legalComments: 'none', logLevel: 'warning' },
  })
  const textOf = (ending: string) => outputFiles.find(({ path }) => path.endsWith(ending))?.text as string
  return { script: textOf('.js').replaceAll('</script', '<\\/script'), style: textOf('.css') }
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

/** More than that no eye tells apart, and no map shows in a minute. */
export const PAGE_ROWS_MAX = 5000

/** As much of the tables as a page can draw: the first rows, as the page says. */
const onPage = ({ pictures, ...reported }: Reported): Reported => {
  if (!pictures) return reported
  const shortened = ([name, table]: [string, Table]) =>
    [name, Object.fromEntries(Object.entries(table).map(([key, rows]) => [key, rows.slice(0, PAGE_ROWS_MAX)]))] as const
  const saying = (about: string, table: string) => {
    const rows = Object.values(pictures.tables[table] ?? {})[0]?.length ?? 0
    return rows <= PAGE_ROWS_MAX
      ? about
      : `${about} The first ${PAGE_ROWS_MAX} of ${rows}: ${table}.csv has all of them.`
  }
  const tables = Object.fromEntries(Object.entries(pictures.tables).map(shortened))
  const plots = pictures.plots.map((plot) => ({ ...plot, about: saying(plot.about, plot.table) }))
  const map = pictures.map && { ...pictures.map, about: saying(pictures.map.about, pictures.map.calls) }
  return { ...reported, pictures: { tables, plots, ...(map && { map }) } }
}

/** JSON has no NaN: that becomes null, as the plots have it where nothing is to be drawn. */
const pageOf = async (reported: Reported): Promise<string> => {
  const { script, style } = await bundled()
  const run = JSON.stringify(onPage(reported)).replaceAll('<', '\\u003c')
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width">',
    '<meta name="color-scheme" content="light dark">',
    `<title>${escaped(`${reported.name}, seed ${reported.seed}`)}</title>`,
    `<!-- Plots by uPlot ${uplot}, Copyright (c) 2022 Leon Sorokin, MIT License: https://github.com/leeoniya/uPlot -->`,
    `<style>${style}</style>`,
    '<main></main>',
    `<script type="application/json" id="run">${run}</script>`,
    `<script>${script}</script>`,
    '',
  ].join('\n')
}

/** A line with the columns' names, and one a row; what is not there is empty. */
export const csvOf = (table: Table): string => {
  const columns = Object.values(table)
  const rows = Array.from({ length: columns[0]?.length ?? 0 }, (_, row) =>
    columns.map((column) => (Number.isFinite(column[row]) ? column[row] : '')).join(','),
  )
  return `${[Object.keys(table).join(','), ...rows].join('\n')}\n`
}

/** Into `folder`, over what an earlier run has left there; the path of the page. */
export const writeReport = async (folder: string, reported: Reported): Promise<string> => {
  mkdirSync(folder, { recursive: true })
  for (const [name, table] of Object.entries(reported.pictures?.tables ?? {})) {
    writeFileSync(join(folder, `${name}.csv`), csvOf(table))
  }
  const file = join(folder, 'report.html')
  writeFileSync(file, await pageOf(reported))
  return file
}
