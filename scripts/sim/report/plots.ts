/** Draws the plots of a report. */
import uPlot from 'uplot'
import type { Line, Plot, Table } from '../../../simulations/pictures/pictures.ts'
import { colour, whenLooksChange } from './element.ts'

const HEIGHT = 300
const FONT = '12px system-ui, sans-serif'
const SCALES = ['', 'k', 'M', 'G', 'T']

/** 1,500,000 as 1.5M: labels of an axis have little room. */
const short = (figure: number): string => {
  if (figure === 0) return '0'
  const thousands = Math.min(SCALES.length - 1, Math.max(0, Math.floor(Math.log10(Math.abs(figure)) / 3)))
  return `${Number((figure / 1000 ** thousands).toPrecision(6))}${SCALES[thousands]}`
}

const shown = (figure: number | null | undefined): string =>
  figure === null || figure === undefined
    ? '–'
    : new Intl.NumberFormat('en', { maximumSignificantDigits: 4 }).format(figure)

const axis = (label: string): uPlot.Axis => ({
  label,
  ...{ labelFont: FONT, font: FONT, labelSize: 22, labelGap: 2 },
  ...{ stroke: () => colour('muted'), grid: { stroke: () => colour('grid'), width: 1 }, ticks: { show: false } },
  values: (_, splits) => splits.map((split) => (split === null ? '' : short(split))),
})

const strokeOf = (lines: readonly Line[], line: Line): string =>
  line.isReference ? colour('reference') : colour(`line-${1 + lines.filter((one) => !one.isReference).indexOf(line)}`)

/** Few are to be found, many to be told apart. */
const sizeOf = (count: number): number => (count > 2000 ? 3 : count > 100 ? 5 : 9)

const seriesOf = ({ lines, as }: Plot, line: Line, count: number): uPlot.Series => {
  const stroke = strokeOf(lines, line)
  const common: uPlot.Series = { label: line.label, stroke, value: (_, figure) => shown(figure) }
  const width = line.isReference ? 1.5 : 2
  if (as === 'points')
    return {
      ...common,
      paths: () => null,
      points: { show: true, size: sizeOf(count), fill: stroke, width: 0 },
    }
  const points = { show: false }
  if (as === 'bars') {
    const bars = uPlot.paths.bars?.({ size: [0.8, 40] })
    return { ...common, points, fill: stroke, width: 0, ...(bars && { paths: bars }) }
  }
  const steps = as === 'steps' ? uPlot.paths.stepped?.({ align: 1 }) : undefined
  const dash = line.isReference ? { dash: [6, 4] } : {}
  return { ...common, ...dash, points, width, ...(steps && { paths: steps }) }
}

/** With room above what is highest; uPlot has null where there is nothing. */
const fromZero = (min: number | null, max: number | null): [number, number] => {
  const low = Math.min(0, min ?? 0)
  return [low, low + 1.1 * ((max ?? 0) - low || 1)]
}

/** Behind all lines. */
const shade = (u: uPlot, spans: Plot['spans'] = []): void => {
  const { ctx, bbox } = u
  const ratio = devicePixelRatio
  ctx.save()
  ctx.beginPath()
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height)
  ctx.clip()
  ctx.font = FONT.replace('12px', `${12 * ratio}px`)
  for (const { from, to } of spans) {
    const left = u.valToPos(from, 'x', true)
    ctx.fillStyle = colour('span')
    ctx.fillRect(left, bbox.top, u.valToPos(to, 'x', true) - left, bbox.height)
  }
  for (const [i, { from, label }] of spans.entries()) {
    ctx.fillStyle = colour('muted')
    ctx.fillText(label, u.valToPos(from, 'x', true) + 6 * ratio, bbox.top + 16 * (i + 1) * ratio)
  }
  ctx.restore()
}

const optionsOf = (plot: Plot, width: number, count: number): uPlot.Options => ({
  ...{ width, height: HEIGHT, padding: [12, 16, 0, 0] as uPlot.Padding },
  scales: {
    x: plot.as === 'bars' ? { time: false, range: (_, min, max) => [min - 0.6, max + 0.6] } : { time: false },
    y: plot.isLogarithmic ? { distr: 3 } : { range: (_, min, max) => fromZero(min, max) },
  },
  axes: [
    { ...axis(plot.x.label), size: 34, ...(plot.as === 'bars' && { incrs: [1, 2, 5, 10, 100, 1000] }) },
    { ...axis(plot.y), size: 56 },
  ],
  series: [
    { label: plot.x.label, value: (_, figure) => shown(figure) },
    ...plot.lines.map((line) => seriesOf(plot, line, count)),
  ],
  hooks: { drawClear: [(u) => shade(u, plot.spans)] },
  cursor: { drag: { x: true, y: false } },
})

/** References first, so that the others lie over them. */
export const drawPlot = (box: HTMLElement, plot: Plot, table: Table): void => {
  const lines = plot.lines.toSorted((a, b) => Number(b.isReference ?? false) - Number(a.isReference ?? false))
  const data = [plot.x.column, ...lines.map(({ column }) => column)].map((column) => table[column])
  let drawn: uPlot | undefined
  whenLooksChange(box, () => {
    drawn?.destroy()
    drawn = new uPlot(
      optionsOf({ ...plot, lines }, box.clientWidth, table[plot.x.column]?.length ?? 0),
      data as uPlot.AlignedData,
      box,
    )
  })
}
