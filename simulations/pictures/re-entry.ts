/** What comes through while liars always come back: curves by results a peer. */
import type { LieRate, ReEntry, Way } from '../re-entry.ts'
import type { Tally } from '../verification.ts'
import type { Line, Pictures, Plot, Table } from './pictures.ts'

const COUNTS: Readonly<Record<string, (tally: Tally) => number>> = {
  wrong: ({ wrongByIntent, results }) => wrongByIntent / results,
  executions: ({ executions, results }) => executions / results,
  guest_executions: ({ guestExecutions, guestResults }) => guestExecutions / guestResults,
  alone_executions: ({ aloneExecutions, aloneResults }) => aloneExecutions / aloneResults,
  identities: ({ badIdentities }) => badIdentities,
}

const X = { column: 'results_a_peer', label: 'results a peer' }

const LETTERS: readonly (readonly [Way, string])[] = [
  ['nobody', 'nobody answers'],
  ['founder', 'the founder'],
  ['member', 'the member who let them in'],
]
const VOUCHERS: readonly (readonly [Way, string])[] = [
  ['public_unvouched', 'nobody vouches'],
  ['public', 'operators, for the honest'],
  ['public_ring', 'a ring of colluders, too'],
  ['public_bought', 'an honest operator, for colluders too'],
]

const linesOf = (ways: typeof LETTERS, lies: LieRate, count: string): Line[] =>
  ways.map(([way, label]) => ({ column: `${way}_${lies}_${count}`, label }))

const plotOf = (plot: Pick<Plot, 'title' | 'about' | 'y' | 'lines'>): Plot => ({
  ...{ table: 're-entry', x: X, as: 'line' },
  ...plot,
})

const PLOTS: readonly Plot[] = [
  plotOf({
    title: 'Wrong answers, lies on all',
    about: 'Wrong by intent when they were released, of all results so far; by who answers for those who come back.',
    y: 'share',
    lines: linesOf(LETTERS, 'all', 'wrong'),
  }),
  plotOf({
    title: 'Wrong answers, lies on a hundredth',
    about: 'The same; few lies are found, and few identities are expelled.',
    y: 'share',
    lines: linesOf(LETTERS, 'hundredth', 'wrong'),
  }),
  plotOf({
    title: 'Wrong answers on a public mesh, lies on all',
    about: 'The same where nobody is let in; by who vouches for newcomers.',
    y: 'share',
    lines: linesOf(VOUCHERS, 'all', 'wrong'),
  }),
  plotOf({
    title: 'Executions per result',
    about: 'All that were made for it, those to verify it included; lies on all.',
    y: 'executions',
    lines: linesOf(LETTERS, 'all', 'executions'),
  }),
  plotOf({
    title: 'Identities',
    about: 'Colluding ones that were ever trusted, or lied; lies on all.',
    y: 'identities',
    lines: linesOf(LETTERS, 'all', 'identities'),
  }),
]

export const reEntryPictures = (runs: readonly ReEntry[], lengths: readonly number[]): Pictures => {
  const columns = runs.flatMap(({ way, lies, tallies }) =>
    Object.entries(COUNTS)
      .map(([count, of]) => [`${way}_${lies}_${count}`, tallies.map(of)] as const)
      .filter(([, figures]) => figures.some(Number.isFinite)),
  )
  const table: Table = { results_a_peer: lengths, ...Object.fromEntries(columns) }
  return { tables: { 're-entry': table }, plots: PLOTS }
}
