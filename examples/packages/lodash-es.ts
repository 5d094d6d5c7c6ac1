/** lodash-es: sales by region, the best first. */
import { camelCase, chunk, groupBy, isEqual, merge, orderBy, sumBy } from 'lodash-es'

interface Sale {
  region: string
  amount: number
}

export default function report(sales: Sale[]) {
  const totals = Object.entries(groupBy(sales, 'region')).map(([region, rows]) => ({
    region: camelCase(region),
    total: sumBy(rows, 'amount'),
  }))
  return {
    pages: chunk(orderBy(totals, ['total', 'region'], ['desc', 'asc']), 2),
    merged: merge({ a: { b: 1, c: [1, 2] } }, { a: { c: [3], d: 4 } }),
    same: isEqual({ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }),
  }
}
