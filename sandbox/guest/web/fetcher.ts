/** What `env` has for a binding of the kind `fetch`: requests go to the home, which sends those that are granted. */
import type { Body } from './body.ts'
import { ask, tell } from './effects.ts'
import { bodyOf, fetched, Request, type RequestInit, type Response } from './fetch.ts'
import { waitUntil } from './prelude-exports.ts'

interface Asked {
  binding: string
  url: string
  method: string
  headers: [string, string][]
  body: Uint8Array | null
}

/** What was answered, as protocol/README.md has it. */
export interface FetchAnswer {
  status: number
  headers: [string, string][]
  body: Uint8Array
  url: string
}

/** What a request asks for; once its body has been read, where that is a stream. */
const whenRead = (binding: string, request: Request, then: (asked: Asked) => unknown): unknown => {
  const { method, headers } = request
  const [url = ''] = request.url.split('#')
  const asked = (body: Uint8Array | null): unknown => then({ binding, url, method, headers: [...headers], body })
  const body: Body | null = bodyOf(request)
  if (body === null) return asked(null)
  if (body.bytesNow) return asked(body.bytesNow)
  return request.bytes().then(asked)
}

export const newFetcher = (binding: string): object =>
  Object.freeze({
    fetch: async (input: unknown, init?: RequestInit): Promise<Response> =>
      fetched((await whenRead(binding, new Request(input, init), (asked) => ask('fetch', asked))) as FetchAnswer),
    // What is wrong with it is thrown at once: nobody may be waiting.
    send: (input: unknown, init?: RequestInit): Promise<void> => {
      const sent = whenRead(binding, new Request(input, init), (asked) => void tell('send', asked))
      if (sent instanceof Promise) waitUntil(sent)
      return Promise.resolve(sent as undefined)
    },
  })
