/** ramda: a report as a composition of functions. */
import * as R from 'ramda'

interface Row {
  team: string
  points: number
}

const total = (rows: Row[] = []) => R.sum(R.pluck('points', rows))

const table = R.pipe(
  R.groupBy<Row>((row) => row.team),
  R.toPairs,
  R.map(([team, rows]) => ({ team, points: total(rows) })),
  R.sortWith<Row>([R.descend(R.prop('points')), R.ascend(R.prop('team'))]),
)

export default function standings(rows: Row[]) {
  return { table: table(rows), median: R.median(R.pluck('points', rows)), path: R.assocPath(['a', 'b'], 1, {}) }
}
