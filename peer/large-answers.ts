/** Answers that stand in the journal as blocks: fetched like code, and given to the sandbox whole, in their order. */
import type { CID } from '../protocol/cid.ts'
import { joinBytes } from '../protocol/join-bytes.ts'
import type { Answer, JournalEntry } from '../protocol/journal.ts'
import { ANSWER_BLOCKS_MAX } from '../protocol/limits.ts'
import type { SandboxResult, SandboxRun } from '../sandbox/pool.ts'

/** A block, verified. Throws MeshError if it cannot be had. */
type FetchBlock = (cid: CID) => Promise<Uint8Array>

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
  readonly #fetch: FetchBlock
  readonly #ended = Promise.withResolvers<SandboxResult>()
  #run: SandboxRun | undefined
  #isOver = false
  #blocks: number
  /** Settles when all before has been given to the run. */
  #given: Promise<void>

  constructor(journal: readonly JournalEntry[], fetch: FetchBlock, begin: (journal: JournalEntry[]) => SandboxRun) {
    this.#fetch = fetch
    this.result = this.#ended.promise
    this.#blocks = blocksIn(journal).length
    const start = (entries: JournalEntry[]) => {
      if (this.#isOver) return
      this.#run = begin(entries)
      this.#run.result.then(this.#ended.resolve)
    }
    if (this.#blocks === 0) {
      start([...journal])
      this.#given = Promise.resolve()
    } else
      this.#given = this.#unlessFailed(async () => {
        this.#ensureFew()
        start(await Promise.all(journal.map((one) => wholeEntry(one, fetch))))
      })
  }

  state(): ReturnType<SandboxRun['state']> {
    return this.#run?.state() ?? (this.#isOver ? 'done' : 'queued')
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
    const more = blocksOf(answer).length
    this.#blocks += more
    if (this.#blocks === 0) return this.#run?.answer(n, answer)
    const before = this.#given
    this.#given = this.#unlessFailed(async () => {
      this.#ensureFew()
      const given = await whole(answer, this.#fetch)
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
    if (this.#blocks > ANSWER_BLOCKS_MAX) throw new Error(`its answers are ${this.#blocks} blocks`)
  }

  #unlessFailed(work: () => Promise<void>): Promise<void> {
    return work().catch((cause: Error) => this.kill(cause.message))
  }
}

/** A run of a function that reads. */
export const runWhole = (
  journal: readonly JournalEntry[],
  fetch: FetchBlock,
  begin: (journal: readonly JournalEntry[]) => SandboxRun,
): SandboxRun => new AwaitingRun(journal, fetch, begin)
