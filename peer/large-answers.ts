/**
 * Large values of a run stand in its journal as blocks, both ways. Those of answers are fetched like code, and given to the
 * sandbox whole, in their order; those of what it puts are kept before its requests are told (large-puts.ts).
 */
import type { CID } from '../protocol/cid.ts'
import { joinBytes } from '../protocol/join-bytes.ts'
import type { Answer, JournalEntry } from '../protocol/journal.ts'
import { ANSWER_BLOCKS_MAX } from '../protocol/limits.ts'
import type { SandboxJob, SandboxResult, SandboxRun } from '../sandbox/pool.ts'

/** A block, verified. Throws MeshError if it cannot be had. */
type FetchBlock = (cid: CID) => Promise<Uint8Array>

/** What a run says. */
export type Saying = Pick<SandboxJob, 'onRequest' | 'onWait' | 'onRest' | 'onStop' | 'onBlock'>

export interface Puts {
  /** What it said is told in its order, and requests once the blocks that they name are kept. */
  behindBlocks(saying: Saying): Saying
  /** Some are not yet. */
  readonly isBusy: boolean
  /** Settles when all before has been told; undefined: it has put nothing in blocks. */
  readonly told: Promise<void> | undefined
}

export interface RunBlocks {
  fetch: FetchBlock
  /** Those of one run. `failed`: told why a block could not be kept. Undefined: none are. */
  puts?: ((failed: (reason: string) => void) => Puts) | undefined
}

type Begin = (journal: readonly JournalEntry[], saying: Saying) => SandboxRun

const blocksOf = (answer: Answer): readonly CID[] => (answer.ok && answer.blocks) || []

/** The blocks that the answers of a journal are made of. */
export const blocksIn = (journal: readonly JournalEntry[]): CID[] =>
  journal.flatMap((one) => (one.entry === 'answer' ? blocksOf(one.answer) : []))

const whole = async (answer: Answer, fetch: FetchBlock): Promise<Answer> => {
  const blocks = blocksOf(answer)
  return blocks.length === 0 ? answer : { ok: true, value: joinBytes(await Promise.all(blocks.map(fetch))) }
}

const wholeEntry = async (one: JournalEntry, fetch: FetchBlock): Promise<JournalEntry> =>
  one.entry === 'answer' ? { ...one, answer: await whole(one.answer, fetch) } : one

/** A run that begins when the blocks of its journal are there. */
class AwaitingRun implements SandboxRun {
  readonly result: Promise<SandboxResult>
  readonly #blocks: RunBlocks
  readonly #puts: Puts | undefined
  readonly #ended = Promise.withResolvers<SandboxResult>()
  #run: SandboxRun | undefined
  #isOver = false
  /** Of its answers. */
  #count: number
  /** Answers whose blocks are on their way. */
  #busy = 0
  /** Settles when all before has been given to the run. */
  #given: Promise<void>

  constructor(journal: readonly JournalEntry[], blocks: RunBlocks, saying: Saying, begin: Begin) {
    this.#blocks = blocks
    this.#puts = blocks.puts?.((reason) => this.kill(reason))
    this.result = this.#ended.promise
    this.#count = blocksIn(journal).length
    const start = (entries: JournalEntry[]) => {
      if (this.#isOver) return
      this.#run = begin(entries, this.#puts?.behindBlocks(saying) ?? saying)
      this.#run.result.then(async (result) => {
        await this.#puts?.told
        this.#ended.resolve(result)
      })
    }
    if (this.#count === 0) {
      start([...journal])
      this.#given = Promise.resolve()
    } else
      this.#given = this.#unlessFailed(async () => {
        this.#ensureFew()
        start(await Promise.all(journal.map((one) => wholeEntry(one, blocks.fetch))))
      })
  }

  state(): ReturnType<SandboxRun['state']> {
    const state = this.#run?.state() ?? (this.#isOver ? 'done' : 'queued')
    // Its home owes it nothing.
    return state === 'waiting' && (this.#busy > 0 || this.#puts?.isBusy) ? 'running' : state
  }

  fuel(): number {
    return this.#run?.fuel() ?? 0
  }

  ranMs(): number {
    return this.#run?.ranMs() ?? 0
  }

  alive(): boolean {
    return this.#run?.alive() ?? true
  }

  answer(n: number, answer: Answer): void {
    this.#count += blocksOf(answer).length
    if (this.#count === 0) return this.#run?.answer(n, answer)
    const before = this.#given
    this.#given = this.#unlessFailed(async () => {
      this.#ensureFew()
      const given = await whole(answer, this.#blocks.fetch)
      await before
      this.#run?.answer(n, given)
    })
  }

  kill(reason: string): void {
    this.#isOver = true
    if (this.#run) this.#run.kill(reason)
    else this.#ended.resolve({ kind: 'inconclusive', reason })
  }

  #ensureFew(): void {
    if (this.#count > ANSWER_BLOCKS_MAX) throw new Error(`its answers are ${this.#count} blocks`)
  }

  #unlessFailed(work: () => Promise<void>): Promise<void> {
    this.#busy++
    return work()
      .catch((cause: Error) => this.kill(cause.message))
      .finally(() => {
        this.#busy--
      })
  }
}

/** A run of a function that reads or puts. */
export const runWhole = (
  journal: readonly JournalEntry[],
  blocks: RunBlocks,
  saying: Saying,
  begin: Begin,
): SandboxRun => new AwaitingRun(journal, blocks, saying, begin)
