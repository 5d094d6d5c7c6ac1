/** The page of a report: what ran, what came of it, where the calls went, and the plots. */
import type { Plot, Table } from '../../../simulations/pictures/pictures.ts'
import { type Child, element } from './element.ts'
import { drawPlot } from './plots.ts'
import type { Reported } from './report.ts'
import { drawMap } from './world-map.ts'

const run = JSON.parse(document.getElementById('run')?.textContent ?? '') as Reported
const tables = run.pictures?.tables ?? {}

const numbers = new Intl.NumberFormat('en', { maximumSignificantDigits: 4 })
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })

/** Units come last in the names of figures. */
const UNITS: Readonly<Record<string, string>> = { ms: 'ms', bytes: 'B', s: 's' }

const figureOf = ([name, figure]: [string, number | null]): HTMLElement => {
  const words = name.split('_')
  const unit = words.length > 1 ? UNITS[words.at(-1) as string] : undefined
  const shown =
    figure === null
      ? 'none'
      : name === 'hash'
        ? figure.toString(16).padStart(8, '0')
        : (Math.abs(figure) >= 1000 ? whole : numbers).format(figure)
  return element('div', {}, [
    element('dt', {}, [(unit ? words.slice(0, -1) : words).join(' ')]),
    element('dd', {}, [shown, ...(unit && figure !== null ? [element('small', {}, [` ${unit}`])] : [])]),
  ])
}

const head = (): HTMLElement => {
  const facts: [string, Child][] = [
    ['seed', String(run.seed)],
    ['peers', whole.format(run.peers)],
    ['commit', run.commit.slice(0, 12) + run.commit.slice(40)],
    ['again', element('code', {}, [run.command])],
  ]
  return element('header', {}, [
    element('p', { class: 'kind' }, ['Wayside, simulated']),
    element('h1', {}, [run.name]),
    element('p', { class: 'about' }, [run.about]),
    element(
      'dl',
      { class: 'facts' },
      facts.map(([name, fact]) => element('div', {}, [element('dt', {}, [name]), element('dd', {}, [fact])])),
    ),
  ])
}

const verdict = (): HTMLElement =>
  run.violations.length === 0
    ? element('p', { class: 'held' }, ['All that must hold of this scenario held.'])
    : element(
        'ul',
        { class: 'wrong' },
        run.violations.map((one) => element('li', {}, [one])),
      )

const picture = (title: string, about: string, files: readonly string[], canvas: HTMLElement): HTMLElement =>
  element('figure', {}, [
    element('figcaption', {}, [
      element('h2', {}, [title]),
      element('p', {}, [
        `${about} `,
        ...files.flatMap((file) => [element('a', { href: `${file}.csv`, class: 'file' }, [`${file}.csv`]), ' ']),
      ]),
    ]),
    canvas,
  ])

const plotted = (plot: Plot): HTMLElement => {
  const box = element('div', {
    class: 'plot',
    role: 'img',
    'aria-label': `${plot.title}: ${plot.y} by ${plot.x.label}`,
  })
  const shown = picture(plot.title, plot.about, [plot.table], box)
  requestAnimationFrame(() => drawPlot(box, plot, tables[plot.table] as Table))
  return shown
}

const pictures = (): HTMLElement[] => {
  if (!run.pictures) return []
  const { map, plots } = run.pictures
  const all = element('div', { class: 'plots' }, plots.map(plotted))
  if (!map) return [all]
  const box = element('div', { class: 'map' })
  requestAnimationFrame(() => drawMap(box, map, tables))
  return [picture('Where the calls go', map.about, [map.peers, map.calls], box), all]
}

document
  .querySelector('main')
  ?.append(
    head(),
    verdict(),
    element('dl', { class: 'figures' }, Object.entries(run.figures).map(figureOf)),
    ...pictures(),
  )
