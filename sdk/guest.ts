/** Types for functions: what they find in `env` and `ctx`. */

/** State of the home: `env.DB` where wayside.json says `{ "env": { "DB": { "state": "shop" } } }`. */
export interface State {
  /** The value of an entry, this function's own writes included; null where there is none. */
  // biome-ignore lint/suspicious/noExplicitAny: whoever stored it knows what it is.
  get<T = any>(key: string): Promise<T | null>
  /** Done once the answer has been verified, with all that the function writes or with none of it. Throws for a wrong key or value. */
  put(key: string, value: unknown): Promise<void>
  delete(key: string): Promise<void>
  /** Entries whose keys begin with `prefix`, in the order of their keys, behind the key `after`: up to `limit`, 1000 unless given. */
  // biome-ignore lint/suspicious/noExplicitAny: as for get.
  list<T = any>(options?: {
    prefix?: string
    after?: string | null
    limit?: number
  }): Promise<{
    entries: { key: string; value: T }[]
    /** There are others behind them. */
    more: boolean
  }>
}

/** Origins that the home fetches from: `{ "env": { "API": { "fetch": ["https://api.example.com"] } } }`. */
export interface Fetcher {
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>
  /** Sent once the answer has been verified; nobody waits for what comes back. */
  send(input: string | URL | Request, init?: RequestInit): Promise<void>
}

/** Text that stands for a secret of the home in a header that is fetched with: `Bearer ${env.KEY}`. */
export type Secret = string

/** The third argument of every function. */
export interface Context {
  /** The same in every execution of one task. */
  readonly invocationId: string
  readonly signal: AbortSignal
  /** Calls another export (`#name`) or function (a CID, or `CID#export`). */
  // biome-ignore lint/suspicious/noExplicitAny: what another function returns.
  call<T = any>(ref: string, input?: unknown, options?: { fuel?: number; timeoutMs?: number }): Promise<T>
  /** Ms since 1970, by the home's clock. */
  now(): Promise<number>
  /** 1 to 65,536 random bytes of the home. */
  random(bytes: number): Promise<Uint8Array>
  /** The run goes on until `promise` has settled. */
  waitUntil(promise: Promise<unknown>): void
}
