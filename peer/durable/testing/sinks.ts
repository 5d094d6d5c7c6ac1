/** What durable invocations of tests pay, charge and write to: it outlives their home, and counts all that comes. */
import type { Web, WebAnswer } from '../../../protocol/ports.ts'

/** Does the request of a key once. */
export const HONOURS = 'https://honours.example'
/** Does each request that comes. */
export const PLAIN = 'https://plain.example'
/** Is asked for prices, and changes nothing. */
export const READ = 'https://prices.example'

interface Request {
  origin: string
  key: string
  body: string
}

export class Sinks {
  /** All that came, in order. */
  readonly #raw: Request[] = []
  /** What was asked for, by its path. */
  readonly #read = new Set<string>()
  /** By key, what it was first asked for. */
  readonly #done = new Map<string, Request>()
  /** Those of a known key that ask for something else than before. */
  readonly contradicted: Request[] = []
  /** Of which the function was told that nobody knows. */
  unknown = 0
  /** Done a second time, or a third, by a sink that does each request: its grant says to retry. */
  repeated = 0

  /** Of one life of a home; `step` is awaited before and after each request is done. */
  web(step: () => Promise<void>): Web {
    return {
      resolve: async () => {
        await step()
        return ['93.184.215.14']
      },
      exchange: async ({ url, headers, body }) => {
        await step()
        const { origin, pathname } = new URL(url)
        if (origin === READ) {
          this.#read.add(pathname)
          return answered('7')
        }
        const key = headers.find(([name]) => name === 'idempotency-key')?.[1] as string
        const request = { origin, key, body: Buffer.from(body ?? []).toString() }
        this.#take(request)
        await step()
        return answered(`did ${request.body}`)
      },
    }
  }

  /** How often a request came. */
  rawOf(origin: string, body: string): number {
    return this.#raw.filter((one) => one.origin === origin && one.body === body).length
  }

  /** All that came and may have changed something. */
  all(): string[] {
    return this.#raw.map(({ body }) => body).sort()
  }

  /** How often it was done by a sink that honours keys. */
  timesOf(origin: string, body: string): number {
    return [...this.#done.values()].filter((one) => one.origin === origin && one.body === body).length
  }

  /** Which paths were read whose first part is `id`. */
  readsOf(id: string): string[] {
    return [...this.#read].filter((path) => path.startsWith(`/${id}/`))
  }

  /** Requests that came again. */
  get duplicates(): number {
    return this.#raw.length - this.#done.size
  }

  #take(request: Request): void {
    this.#raw.push(request)
    const first = this.#done.get(request.key)
    if (!first) this.#done.set(request.key, request)
    else if (first.body !== request.body) this.contradicted.push(request)
  }
}

const answered = (text: string): WebAnswer => ({
  ...{ kind: 'answered', status: 200, headers: [], body: new TextEncoder().encode(text) },
})
