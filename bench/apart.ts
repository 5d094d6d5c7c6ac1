/** Two ways of trying the same, side by side: how far apart their medians are. */
import { totalOf } from '../simulations/message-counts.ts'
import type { Tried } from '../simulations/trial.ts'
import { median, rounded } from './measure.ts'

export type Figures = Record<string, number>

const QUANTILES = ['p50', 'p90', 'p99', 'mean'] as const

/** The first is what the second is measured by. Keys begin with `prefix` and name both. */
export const printApart = (
  print: (line: string) => void,
  prefix: string,
  sides: Readonly<Record<string, readonly Tried[]>>,
): Figures => {
  const [[one, ones], [other, others]] = Object.entries(sides) as [[string, Tried[]], [string, Tried[]]]
  const figures: Figures = {}
  const compare = (what: string, unit: string, of: (tried: Tried) => number) => {
    const [first, second] = [median(ones.map(of)), median(others.map(of))]
    const apart = Math.abs(second / first - 1)
    const percent = `${rounded(100 * apart)} %`
    print(`  ${what.padEnd(18)} ${one} ${rounded(first)}${unit}, ${other} ${rounded(second)}${unit}, ${percent} apart`)
    figures[`${prefix}_${what}_${one}`] = rounded(first)
    figures[`${prefix}_${what}_${other}`] = rounded(second)
    figures[`${prefix}_${what}_apart`] = rounded(apart)
  }
  for (const name of QUANTILES) compare(`${name}_ms`, ' ms', ({ took }) => took[name])
  compare('messages', '', ({ sent }) => totalOf(sent))
  const kinds = new Set([...ones, ...others].flatMap(({ sent }) => Object.keys(sent)))
  for (const kind of [...kinds].sort()) {
    const of = ({ sent }: Tried) => sent[kind] ?? 0
    print(`    ${kind.padEnd(16)} ${one} ${rounded(median(ones.map(of)))}, ${other} ${rounded(median(others.map(of)))}`)
  }
  return figures
}
