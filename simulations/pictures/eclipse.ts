/** What look-ups bring where keepers lie. */
import type { EclipseReport } from '../level2/eclipse-report.ts'
import type { Pictures, Plot } from './pictures.ts'

const KEYS = { column: 'keys', label: 'made keys around each of the two that are looked under first' }
const WAYS = (figure: string) => [
  { column: `neighbours_${figure}`, label: 'with neighbours' },
  { column: `alone_${figure}`, label: 'by the directory alone' },
]

const PLOTS: readonly Plot[] = [
  {
    title: 'Keys made for a cell',
    about:
      'Of the look-ups in that cell, for what one peer in 100 offers, the share that led to somebody. Keepers with such keys answer with their like, and keep nothing.',
    ...{ table: 'aimed', x: KEYS, y: 'share', lines: WAYS('found_share'), as: 'line' },
  },
  {
    title: 'Until the first peer, with keys made for a cell',
    about:
      'From the question until hands are shaken, for half of the look-ups; nothing where more than half led to nobody.',
    ...{ table: 'aimed', x: KEYS, y: 'ms', lines: WAYS('first_p50_ms'), as: 'line' },
  },
  {
    title: 'Keepers that lie, by chance',
    about:
      'Of the look-ups by the directory alone the share that led to somebody; no keys were made, and all offer what is looked for.',
    ...{ table: 'by-chance', x: { column: 'lying_share', label: 'keepers that lie, share' }, y: 'share', as: 'line' },
    lines: [
      { column: 'found_share', label: 'look-ups that led to somebody' },
      { column: 'live_share', label: 'records alive', isReference: true },
    ],
  },
]

export const eclipsePictures = ({ byChance, aimed }: EclipseReport): Pictures => {
  return {
    tables: {
      aimed: {
        keys: aimed.map(({ keys }) => keys),
        alone_found_share: aimed.map(({ alone }) => alone.foundShare),
        neighbours_found_share: aimed.map(({ withNeighbours }) => withNeighbours.foundShare),
        alone_first_p50_ms: aimed.map(({ alone }) => alone.firstP50Ms),
        neighbours_first_p50_ms: aimed.map(({ withNeighbours }) => withNeighbours.firstP50Ms),
      },
      'by-chance': {
        lying_share: byChance.map(({ permille }) => permille / 1000),
        found_share: byChance.map(({ alone }) => alone.foundShare),
        live_share: byChance.map(({ alone }) => alone.liveShare),
        first_p50_ms: byChance.map(({ alone }) => alone.firstP50Ms),
      },
    },
    plots: PLOTS,
  }
}
