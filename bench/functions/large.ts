/** 100 kB of what functions are made of: packages from npm, evaluated, and hardly used. */
import { produce } from 'immer'
import { Marked } from 'marked'
import papaparse from 'papaparse'

const rows = papaparse.parse<string[]>('a,b\n1,2').data.length
const heading = new Marked().parse('# one') as string

export default (n: number): number =>
  produce({ n }, (draft) => {
    draft.n += rows - (heading.startsWith('<h1>') ? 1 : 0)
  }).n
