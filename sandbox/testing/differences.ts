/** Where two hosts, or two ways of one, do not agree on a program. */
import type { Order, ProgramRecord, RunRecord, Way } from './program.ts'

export interface Difference {
  name: string
  way: Way
  order: Order
  /** Of what they are not agreed; `outcome` also where there is none. */
  what: ('outcome' | 'fuel' | 'memory' | 'trace')[]
  wanted: string
  found: string
}

const orderKey = ({ way, order }: RunRecord) => (way === 'loaded' ? way : order.join())

const shown = ({ kind, fuel, said }: RunRecord) => `${kind}, fuel ${fuel}: ${said}`

const differing = (wanted: RunRecord, found: RunRecord): Difference['what'] => {
  const what: Difference['what'] = []
  if (found.kind !== 'outcome' || found.outcome !== wanted.outcome) what.push('outcome')
  if (found.fuel !== wanted.fuel) what.push('fuel')
  if (found.memory !== wanted.memory) what.push('memory')
  if (found.trace !== wanted.trace) what.push('trace')
  return what
}

const differencesOf = (reference: ProgramRecord, { name, runs }: ProgramRecord): Difference[] => {
  const wanted = new Map(reference.runs.toReversed().map((run) => [orderKey(run), run]))
  const found = new Set(runs.map(orderKey))
  const lacking = [...wanted.values()].filter((run) => !found.has(orderKey(run)))
  return [
    ...runs.flatMap((run) => {
      const other = wanted.get(orderKey(run)) ?? { ...run, outcome: '', memory: '', said: 'no run with these answers' }
      const what = differing(other, run)
      return what.length === 0 ? [] : [{ name, ...run, what, wanted: shown(other), found: shown(run) }]
    }),
    ...lacking.map((run) => {
      const what: Difference['what'] = ['outcome']
      return { name, way: run.way, order: run.order, what, wanted: shown(run), found: 'no run with these answers' }
    }),
  ]
}

/**
 * Every run in `records` against the reference's first with the same order of answers. `reference` may be `records`: then
 * the ways of one host are compared.
 */
export const differencesBetween = (
  reference: readonly ProgramRecord[],
  records: readonly ProgramRecord[],
): Difference[] => {
  const byName = new Map(records.map((record) => [record.name, record]))
  return reference.flatMap((wanted) => differencesOf(wanted, byName.get(wanted.name) ?? { ...wanted, runs: [] }))
}
