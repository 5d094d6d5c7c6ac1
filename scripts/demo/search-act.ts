/** The second act: a search in many short tasks at `audit`, past which a liar gets some answers; then the same again. */
import { fileURLToPath } from 'node:url'
import { best, type Longest } from '../../examples/collatz/collatz.ts'
import { PROBATION_RECEIPTS } from '../../peer/trust.ts'
import type { LogEventName, LogFields } from '../../protocol/log.ts'
import type { Act } from './act.ts'
import type { DemoAgent } from './agents.ts'
import { Effort } from './best.ts'
import { type Culprit, Culprits, type ProofFiles } from './culprits.ts'
import { connectHome, type Home } from './home.ts'
import { byAgent, FOUND, MEMO, Mosaic, WRONG } from './mosaic.ts'
import { type Answer, searchOnMesh, TASKS, taskIdOf } from './search.ts'

const SOURCE = fileURLToPath(new URL('../../examples/collatz/collatz.ts', import.meta.url))
/** If the liar has not been met by then, nobody waits for it any longer. */
const TASKS_MAX = 2 * TASKS

export interface SearchEvents {
  agentOf(peer: string): DemoAgent | undefined
  /** After each answer. */
  moved(): void
  differs(culprit: Culprit): void
  /** So many receipts of this peer have been found right that most later ones are taken on trust. */
  isTrusted(peer: string): void
}

/** One time through all tasks. */
class Pass {
  readonly mosaic = new Mosaic(TASKS)
  readonly answersByPeer = new Map<string, number>()
  answers = 0
  executions = 0
  memoHits = 0
  wrong = 0
  found: Longest = best([])
  ms = 0
}

/** Results and executions, of executors whose receipts are still all checked, or of the others. */
class Cost {
  results = 0
  executions = 0

  get perResult(): number {
    return Math.round((1000 * this.executions) / Math.max(1, this.results)) / 1000
  }
}

export class SearchAct implements Act {
  readonly caption =
    'tasks in the colour of who answered; red: wrong and released, white: found since, grey: from the memo'
  readonly culprits: Culprits
  readonly inProbation = new Cost()
  readonly after = new Cost()
  readonly passes: Pass[] = []
  /** The first time through. */
  readonly effort = new Effort()
  readonly #events: SearchEvents
  readonly #receipts = new Map<string, number>()
  /** Tasks of the first pass, by their ID. */
  readonly #wrong = new Map<string, number>()
  readonly #corrected = new Set<string>()
  #pass = new Pass()

  constructor(files: ProofFiles, events: SearchEvents) {
    this.#events = events
    this.culprits = new Culprits(files, (peer) => events.agentOf(peer)?.pid ?? 0)
  }

  /** `between`: called when the first pass is over. */
  async run(ticket: string, signal: AbortSignal, between: () => void): Promise<void> {
    const home = await connectHome(ticket, SOURCE, (event, fields) => this.#heard(event, fields))
    this.effort.begin()
    try {
      const isMet = () => this.culprits.all.length > 0
      await this.#goThrough(home, (index) => index < TASKS || (index < TASKS_MAX && !isMet()), signal)
      between()
      await this.#goThrough(home, (index) => index < TASKS, signal)
    } finally {
      await home.backend.close()
    }
  }

  get acceptedWrong(): number {
    return this.#wrong.size
  }

  get acceptedWrongAfterRecheck(): number {
    return [...this.#wrong.keys()].filter((task) => !this.#corrected.has(task)).length
  }

  picture(columns: number, lines: number): string[] {
    return this.#pass.mosaic.lines(columns, lines)
  }

  share(): number {
    return Math.min(1, this.#pass.answers / TASKS)
  }

  progress(): string {
    const { answers, memoHits, wrong } = this.#pass
    const remembered = memoHits > 0 ? `, ${memoHits} from the memo` : ''
    return `${answers} of ${TASKS} answers${remembered}, ${wrong} wrong when released, ${this.#corrected.size} found since`
  }

  answersOf(peer: string): number {
    return this.#pass.answersByPeer.get(peer) ?? 0
  }

  differs(peer: string): boolean {
    return this.culprits.has(peer)
  }

  async #goThrough(home: Home, isWanted: (index: number) => boolean, signal: AbortSignal): Promise<void> {
    const pass = new Pass()
    this.#pass = pass
    this.passes.push(pass)
    const startMs = performance.now()
    try {
      await searchOnMesh(home, isWanted, signal, (answer) => this.#receive(home, pass, answer))
    } finally {
      pass.ms = Math.round(performance.now() - startMs)
    }
  }

  #receive(home: Home, pass: Pass, answer: Answer): void {
    const { index, value, isRight, result } = answer
    const [executor = ''] = result.executors
    pass.answers++
    pass.executions += result.executions
    if (result.memo) pass.memoHits++
    if (index < TASKS) pass.found = best([pass.found, value])
    pass.answersByPeer.set(executor, (pass.answersByPeer.get(executor) ?? 0) + 1)
    pass.mosaic.set(index, result.memo ? MEMO : byAgent(this.#events.agentOf(executor)?.number ?? 1))
    if (!isRight) this.#accepted(home, pass, index)
    if (pass === this.passes[0]) this.#count(executor, answer)
    for (const culprit of this.culprits.add(result.disputes)) this.#events.differs(culprit)
    this.#events.moved()
  }

  /** A wrong answer was released. */
  #accepted(home: Home, pass: Pass, index: number): void {
    pass.wrong++
    const task = taskIdOf(home, index)
    if (pass === this.passes[0]) this.#wrong.set(task, index)
    pass.mosaic.set(index, this.#corrected.has(task) ? FOUND : WRONG)
  }

  #count(executor: string, { result }: Answer): void {
    this.effort.answered(result.outcome.fuel, 1)
    const cost = (this.#receipts.get(executor) ?? 0) < PROBATION_RECEIPTS ? this.inProbation : this.after
    cost.results++
    cost.executions += result.executions
    for (const peer of result.executors) {
      const receipts = (this.#receipts.get(peer) ?? 0) + 1
      this.#receipts.set(peer, receipts)
      if (receipts === PROBATION_RECEIPTS) this.#events.isTrusted(peer)
    }
  }

  /** The home has run again here what it had taken on trust. */
  #heard(event: LogEventName, { task }: LogFields): void {
    if (event !== 'call.corrected') return
    const id = String(task)
    this.#corrected.add(id)
    const index = this.#wrong.get(id)
    if (index !== undefined) this.#pass.mosaic.set(index, FOUND)
  }
}
