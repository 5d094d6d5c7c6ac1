/** Fetches of a function, by the web of this machine, from servers on loopback that have names of their own. */
import { afterEach } from 'vitest'
import { systemClock } from '../../../node/clock.ts'
import { serve } from '../../../node/fetching/testing/servers.ts'
import { createWeb } from '../../../node/fetching/web.ts'
import type { FetchGrant } from '../../../protocol/grants.ts'
import type { Answer } from '../../../protocol/journal.ts'
import type { Secrets } from '../../../protocol/ports.ts'
import { decodeValue } from '../../../protocol/values.ts'
import { type FetchAuthority, Fetching } from '../fetch.ts'
import type { FetchArguments } from '../fetch-rules.ts'

export const SECRET = 'sk_live_9aB/+"x&yZ.51Q'
export const never = new AbortController().signal

/** Names of tests lead where the test says; all others nowhere. */
export const names = new Map<string, string[][]>()
afterEach(() => names.clear())
export const find = async (name: string) => {
  const turns = names.get(name) ?? []
  const found = turns.length > 1 ? turns.shift() : turns[0]
  return (found ?? []).map((address) => ({ address }))
}
export const LOCAL = ['127.0.0.1']

export const authority = (grant: FetchGrant, changes: Partial<FetchAuthority> = {}): FetchAuthority => ({
  ...{ grant: { private: true, ...grant }, secrets: new Map(), invocation: 'bafyinvocation', n: 3 },
  ...{ bytesMax: 4_000_000, deadlineMs: systemClock.monotonic() + 20_000 },
  ...changes,
})
export const asked = (url: string, changes: Partial<FetchArguments> = {}): FetchArguments => ({
  ...{ binding: 'API', url, method: 'GET', headers: [], body: null },
  ...changes,
})

export interface Shown {
  status: number
  headers: [string, string][]
  body: string
  url: string
}
export const shown = (answer: Answer): Shown | string => {
  if (!answer.ok) return `${answer.code} ${answer.message}`
  const { body, ...rest } = decodeValue(answer.value) as unknown as Omit<Shown, 'body'> & { body: Uint8Array }
  return { ...rest, body: Buffer.from(body).toString('latin1') }
}

export const logged: unknown[] = []
export const log = { event: (...event: unknown[]) => logged.push(event) }
export const secretsOf = (values: Record<string, string>): Secrets => ({ read: async (name) => values[name] })
export const fetching = new Fetching({
  clock: systemClock,
  log,
  web: createWeb(find),
  secrets: secretsOf({ API_KEY: SECRET }),
})

export const perform = async (given: FetchArguments, allowed: FetchAuthority, by = fetching) => {
  try {
    return shown(await by.prepare(given, allowed).send(never))
  } catch (cause) {
    return `${(cause as { code: string }).code} ${(cause as Error).message}`
  }
}

/** A server at a name of its own. */
export const serveAt = async (name: string, ...[answer]: Parameters<typeof serve>) => {
  names.set(name, [LOCAL])
  const server = await serve(answer)
  return { ...server, origin: `http://${name}:${server.port}` }
}
