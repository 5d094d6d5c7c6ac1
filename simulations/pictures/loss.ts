/** How many neighbours real peers have when all by whom they joined are gone. */
import type { LossFigures } from '../loss-scenario.ts'
import type { Pictures, Plot } from './pictures.ts'

const PLOTS: readonly Plot[] = [
  {
    title: 'Neighbours',
    about:
      'Of the peers that are up, since all by whom they had joined were killed at once. Those that were away come back after ten minutes.',
    ...{ table: 'looks', x: { column: 'at_s', label: 'time, s' }, y: 'neighbours' },
    lines: [
      { column: 'neighbours_mean', label: 'on average' },
      { column: 'neighbours_least', label: 'whoever has fewest' },
    ],
    as: 'steps',
  },
  {
    title: 'Alone',
    about:
      'Peers that have come back and have no neighbour yet: they know no address but those of members that they remember.',
    ...{ table: 'looks', x: { column: 'at_s', label: 'time, s' }, y: 'peers' },
    ...{ lines: [{ column: 'alone', label: 'alone' }], as: 'steps' },
  },
]

/** There is no map: nobody calls anybody until it is over. */
export const lossPictures = ({ seen }: LossFigures): Pictures => ({
  tables: {
    looks: {
      at_s: seen.map(({ atS }) => atS),
      neighbours_mean: seen.map(({ neighboursMean }) => neighboursMean),
      neighbours_least: seen.map(({ neighboursLeast }) => neighboursLeast),
      alone: seen.map(({ alone }) => alone),
    },
  },
  plots: PLOTS,
})
