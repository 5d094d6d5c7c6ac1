/** Where errands pay: it outlives their home, and does the request of a key once. */
import type { Web } from '../../protocol/ports.ts'

export const PAID_AT = 'https://till.example'

export class Till {
  /** By key, what was asked for first. */
  readonly #paid = new Map<string, string>()

  /** How often each errand was paid for, by its number. */
  times(): Map<number, number> {
    const times = new Map<number, number>()
    for (const body of this.#paid.values()) times.set(Number(body), (times.get(Number(body)) ?? 0) + 1)
    return times
  }

  readonly web: Web = {
    resolve: async () => ['93.184.215.14'],
    exchange: async ({ headers, body }) => {
      const key = headers.find(([name]) => name === 'idempotency-key')?.[1] as string
      if (!this.#paid.has(key)) this.#paid.set(key, new TextDecoder().decode(body ?? undefined))
      return { kind: 'answered', status: 200, headers: [], body: new Uint8Array() }
    },
  }
}
