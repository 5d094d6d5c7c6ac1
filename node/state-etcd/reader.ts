/** Reads of etcd at one of its revisions. Those that are asked for in the same turn travel together. */
import { type Etcd, EtcdError } from './client.ts'
import { get, type KeyRange, type RangeReply } from './messages.ts'

/** etcd takes 128 operations in a transaction. */
const TOGETHER_MAX = 100

interface Question {
  range: KeyRange
  options: { revision: string; limit: string; serializable: boolean }
  until: number
  resolve(reply: RangeReply): void
  reject(error: unknown): void
}

export class Reader {
  readonly #etcd: Etcd
  #questions: Question[] = []

  constructor(etcd: Etcd) {
    this.#etcd = etcd
  }

  /** `limit` 0: all. Throws EtcdError where the revision is compacted, and MeshError E_STATE_UNAVAILABLE. */
  ask(range: KeyRange, revision: number, limit: number, until: number): Promise<RangeReply> {
    return new Promise((resolve, reject) => {
      if (this.#questions.length === 0) setImmediate(() => this.#askAll())
      // What stood at a revision any node may say that has it.
      const options = { revision: String(revision), limit: String(limit), serializable: true }
      this.#questions.push({ range, options, until, resolve, reject })
    })
  }

  #askAll(): void {
    const questions = this.#questions
    this.#questions = []
    for (let from = 0; from < questions.length; from += TOGETHER_MAX)
      void this.#together(questions.slice(from, from + TOGETHER_MAX))
  }

  async #together(questions: readonly Question[]): Promise<void> {
    const until = Math.max(...questions.map((question) => question.until))
    try {
      const operations = questions.map(({ range, options }) => get(range, options))
      const { ranges } = await this.#etcd.txn([], operations, [], until)
      for (const [index, { resolve }] of questions.entries()) resolve(ranges[index] as RangeReply)
    } catch (error) {
      // One that is refused has all of them refused.
      if (error instanceof EtcdError) for (const question of questions) void this.#alone(question)
      else for (const { reject } of questions) reject(error)
    }
  }

  /** By a node that has asked a quorum what the newest is, and so is not behind. */
  async #alone({ range, options, until, resolve, reject }: Question): Promise<void> {
    try {
      resolve(await this.#etcd.range(range, { ...options, serializable: false }, until))
    } catch (error) {
      reject(error)
    }
  }
}
