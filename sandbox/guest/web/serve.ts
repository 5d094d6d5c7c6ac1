/** Calls the `fetch` handler of a Workers module: a request and its response as Values. */
import { OUTPUT_BYTES_MAX } from '../../../protocol/limits.ts'
import { Request, type RequestInit, Response } from './fetch.ts'
import { joinBytes } from './joined.ts'
import { describe, evaluated, kindOf, refuse } from './prelude-exports.ts'

interface Server {
  fetch(request: Request, env: unknown, ctx: unknown): unknown
}

interface RequestValue {
  url: string
  method?: string
  headers?: unknown
  body?: unknown
}

/** All of a body; of one that is too long to be a result, a part that is too long as well. */
const readBody = async (response: Response): Promise<Uint8Array> => {
  // Without streams no body is one.
  if (!evaluated('streams') || response.body === null) return response.bytes()
  const reader = response.body.getReader()
  const chunks: Uint8Array[] = []
  let length = 0
  while (length <= OUTPUT_BYTES_MAX) {
    const { done, value } = await reader.read()
    if (done) break
    if (!(value instanceof Uint8Array))
      throw new TypeError(`the stream of a response must give Uint8Array, not ${kindOf(value)}`)
    chunks.push(value)
    length += value.length
  }
  return joinBytes(chunks)
}

/** One request of { url, method, headers, body } and its response as { status, statusText, headers, body }. */
export const serve = async (server: Server, input: RequestValue, env: unknown, ctx: unknown): Promise<unknown> => {
  let request: Request
  try {
    const { url, method, headers, body } = input
    request = new Request(url, { method, headers, body } as RequestInit)
  } catch (error) {
    const wanted = 'a fetch handler is called with {"url": "https://…"} and, if need be, method, headers and body'
    return refuse('E_VALUE', `input: ${describe(error).message}; ${wanted}`)
  }
  const response = await server.fetch(request, env, ctx)
  if (!(response instanceof Response))
    return refuse('E_VALUE', `result: fetch() returned ${kindOf(response)}, not a Response`)
  const { status, statusText, headers } = response
  return { status, statusText, headers: [...headers], body: await readBody(response) }
}
