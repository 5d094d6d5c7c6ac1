/** Runs a recorded execution again, with the journal that it left and nobody to answer anything else. */
import { MeshError } from '../protocol/errors.ts'
import { type EffectRequest, type JournalEntry, orderJournal } from '../protocol/journal.ts'
import type { ConsoleLine, Outcome } from '../protocol/outcome.ts'
import type { Trace } from '../protocol/records.ts'
import type { Runner, RunRequest } from './runner.ts'

/** `task`: whose chance it has, that of the recorded run, also where the function is another. */
export interface Recorded
  extends Pick<RunRequest, 'loaded' | 'template' | 'task' | 'input' | 'journal' | 'timeoutMs' | 'traceTicks'> {
  /** It is to end before it makes this request. */
  until?: number | undefined
}

export type Rerun =
  | { kind: 'outcome'; outcomeBytes: Uint8Array; outcome: Outcome; trace: Trace | undefined }
  /** At request `n` it did something else than the journal says. */
  | { kind: 'diverged'; n: number; expected: string; found: string }
  /** The journal is over, and it asks for something more. */
  | { kind: 'asks'; request: EffectRequest }
  /** The journal is over, and it waits for an answer. */
  | { kind: 'waits' }
  /** Before request `until`. `console`: what it had printed; undefined: its engine does not tell. */
  | { kind: 'stopped'; request: EffectRequest; console?: readonly ConsoleLine[]; fuel?: number }

/** In a pool that others use too, all of them together take one turn. */
const PARTY = 'receipt files'

/** What comes before request `n` was made. */
const before = (journal: readonly JournalEntry[], n: number): JournalEntry[] => {
  const ordered = orderJournal(journal)
  const at = ordered.findIndex((one) => one.entry === 'request' && one.n === n)
  return at === -1 ? ordered : ordered.slice(0, at)
}

/** Throws MeshError E_INCONCLUSIVE if it comes to no end here. */
export const runAgain = async (runner: Runner, recorded: Recorded): Promise<Rerun> => {
  const { until, journal } = recorded
  let ended: Rerun | undefined
  const end = (how: Rerun) => {
    ended ??= how
    run.kill(how.kind)
  }
  const run = runner.run({
    ...recorded,
    party: PARTY,
    journal: until === undefined ? journal : before(journal, until),
    onRequest: (request) => end({ kind: request.n === until ? 'stopped' : 'asks', request }),
    onWait: () => end({ kind: 'waits' }),
    onStop: (stop) => end({ kind: 'stopped', ...stop }),
  })
  const result = await run.result
  if (ended) return ended
  if (result.kind === 'outcome')
    return { kind: 'outcome', outcomeBytes: result.outcome, outcome: result.decoded, trace: result.trace }
  if (result.kind === 'diverged') return result
  throw new MeshError('E_INCONCLUSIVE', `running it again here came to no end: ${result.reason}`)
}
