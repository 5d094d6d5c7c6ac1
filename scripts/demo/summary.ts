/** What the demo came to: files in demo-out/, and lines to read. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { best, longest } from '../../examples/collatz/collatz.ts'
import { TILES } from '../../examples/raytracer/plan.ts'
import type { DemoAgent } from './agents.ts'
import type { Effort } from './best.ts'
import type { Culprit, ProofFiles } from './culprits.ts'
import { differingPixels, renderNatively, writePng } from './picture.ts'
import type { PictureAct } from './picture-act.ts'
import { LIMIT, TASKS } from './search.ts'
import type { SearchAct } from './search-act.ts'

const OUT = fileURLToPath(new URL('../../demo-out/', import.meta.url))

export interface Performance {
  agents: readonly DemoAgent[]
  picture: PictureAct
  search: SearchAct
  files: ProofFiles
  killedPids: readonly number[]
}

/** From the first call to the last answer; undefined where the agents that were left could not have done it. */
interface Completion {
  completion_ms: number
  best_ms: number | undefined
  completion_vs_best: number | undefined
}

export interface Summary extends Completion {
  tiles_by_peer: Record<string, number>
  executions_per_result: number
  liars: Culprit[]
  killed_pids: readonly number[]
  tiles_recovered: number
  first_picture_ms: number
  total_ms: number
  native_ms: number
  differing_pixels: number
  identical: boolean
  /** The second act; completion is that of the first time through. */
  search: Completion & {
    tasks: number
    /** Of the first time through: wrong when released, and those of them that the re-check did not find. */
    accepted_wrong: number
    accepted_wrong_after_recheck: number
    executions_per_result_probation: number
    executions_per_result_after: number
    liars: Culprit[]
    first_ms: number
    /** Of the second time through. */
    memo_hits: number
    second_ms: number
    longest: { number: number; terms: number }
    right: boolean
  }
}

const completionOf = ({ tookMs, bestMs }: Effort): Completion => {
  const isKnown = bestMs > 0 && Number.isFinite(bestMs)
  return {
    completion_ms: Math.round(tookMs),
    best_ms: isKnown ? Math.round(bestMs) : undefined,
    completion_vs_best: isKnown ? Math.round((100 * tookMs) / bestMs) / 100 : undefined,
  }
}

const searchSummary = (search: SearchAct): Summary['search'] => {
  const [first, second] = search.passes
  const { number, terms } = second?.found ?? best([])
  const native = longest({ from: 1, to: LIMIT })
  return {
    tasks: first?.answers ?? 0,
    accepted_wrong: search.acceptedWrong,
    accepted_wrong_after_recheck: search.acceptedWrongAfterRecheck,
    executions_per_result_probation: search.inProbation.perResult,
    executions_per_result_after: search.after.perResult,
    liars: search.culprits.all,
    first_ms: first?.ms ?? 0,
    ...completionOf(search.effort),
    memo_hits: second?.memoHits ?? 0,
    second_ms: second?.ms ?? 0,
    longest: { number, terms },
    right: second?.answers === TASKS && number === native.number && terms === native.terms,
  }
}

const summaryOf = ({ picture, search, killedPids }: Performance): Summary => {
  const native = renderNatively()
  writePng(`${OUT}local.png`, native.frame)
  const differing = differingPixels(picture.frame, native.frame)
  return {
    tiles_by_peer: Object.fromEntries(picture.tilesByPeer),
    executions_per_result: picture.executionsPerResult,
    liars: picture.culprits.all,
    killed_pids: killedPids,
    tiles_recovered: picture.recovered,
    first_picture_ms: picture.firstPictureMs,
    total_ms: picture.totalMs,
    ...completionOf(picture.effort),
    native_ms: native.ms,
    differing_pixels: differing,
    identical: differing === 0,
    search: searchSummary(search),
  }
}

/** Those of an earlier demo would be about other peers. */
const writeProofs = (files: ProofFiles): void => {
  for (const name of readdirSync(OUT)) if (/^proof-\d+\.cbor$/.test(name)) rmSync(`${OUT}${name}`)
  for (const [name, proof] of files) writeFileSync(`${OUT}${name}`, proof)
}

const linesOnCulprits = (culprits: readonly Culprit[]): string[] =>
  culprits.flatMap(({ peer, times, proof }) => [
    `signed another answer: ${peer}, ${times} ${times === 1 ? 'time' : 'times'}`,
    ...(proof ? [`  see for yourself: npx wayside verify ${proof}`] : []),
  ])

const linesOnCompletion = ({ completion_ms, best_ms, completion_vs_best }: Completion): string[] =>
  best_ms === undefined
    ? []
    : [
        `completion: ${completion_vs_best} of the best that these agents could do: ${completion_ms} ms from the first call to the last answer, ${best_ms} ms if none had been idle and nothing in vain`,
      ]

const linesOnPicture = ({ agents, picture }: Performance, summary: Summary): string[] => [
  '',
  `The picture, at quorum:2: ${picture.tiles} of ${TILES.length} tiles, ${summary.executions_per_result} executions a tile, in ${summary.total_ms} ms`,
  ...agents.map(({ number, peer, role }) => {
    const manner = role === 'honest' ? '' : `, ${role === 'liar' ? 'lied' : 'slow'}`
    return `  agent ${number}  ${peer}  ${String(picture.answersOf(peer)).padStart(4)} tiles${manner}`
  }),
  ...linesOnCompletion(summary),
  ...linesOnCulprits(summary.liars),
  `killed: ${summary.killed_pids.length}; tiles recovered from agents that were lost or slow: ${summary.tiles_recovered}`,
  `a native run of the same source in V8 takes ${summary.native_ms} ms`,
  `identical to a local run: ${summary.identical ? 'yes' : `no, ${summary.differing_pixels} pixels differ`}`,
]

const linesOnSearch = ({ agents, search }: Performance, { search: summary }: Summary): string[] => {
  const [first, second] = search.passes
  if (!first) return []
  const nobody = 'nobody was caught: the liar was given too little to do'
  return [
    '',
    `The search, at audit: ${summary.tasks} tasks in ${summary.first_ms} ms, by a caller who knew nobody`,
    ...agents.map(({ number, peer, role }) => {
      const manner = role === 'liar' ? ', made up one in five after its first 50' : role === 'slow' ? ', slow' : ''
      return `  agent ${number}  ${peer}  ${String(first.answersByPeer.get(peer) ?? 0).padStart(5)} answers${manner}`
    }),
    ...(summary.liars.length > 0 ? linesOnCulprits(summary.liars) : [nobody]),
    `wrong answers accepted: ${summary.accepted_wrong}, after the re-check that the proof triggered: ${summary.accepted_wrong_after_recheck}`,
    `executions per result: ${summary.executions_per_result_probation} from executors in probation, ${summary.executions_per_result_after} after it`,
    ...linesOnCompletion(summary),
    ...(second
      ? [
          `the same again: ${summary.memo_hits} of ${second.answers} answers from the memo, ${second.wrong} wrong, in ${summary.second_ms} ms`,
          `the longest way below ${LIMIT} begins at ${summary.longest.number}, ${summary.longest.terms} terms: ${summary.right ? 'right' : 'wrong'}`,
        ]
      : []),
  ]
}

/** Writes and prints it all; 0 if everything came out as it should, else 1. */
export const conclude = (performance: Performance): number => {
  const { picture, search, files } = performance
  mkdirSync(OUT, { recursive: true })
  writePng(`${OUT}mesh.png`, picture.frame)
  console.log('rendering the same picture here, in this process, to compare …')
  const summary = summaryOf(performance)
  writeFileSync(`${OUT}summary.json`, `${JSON.stringify(summary, undefined, 2)}\n`)
  writeProofs(files)
  for (const line of [...linesOnPicture(performance, summary), ...linesOnSearch(performance, summary)])
    console.log(line)
  console.log(['\ndemo-out/ has mesh.png, local.png, summary.json', ...files.keys()].join(', '))
  const isWhole = picture.isDone && summary.identical && summary.search.right
  return isWhole && search.culprits.all.length > 0 ? 0 : 1
}
