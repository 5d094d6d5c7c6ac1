/** The host of a mesh as an agent serves it, with somebody between it and its visitors who changes what passes. */
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { loadWebFiles } from '../../../node/web/files.ts'
import { createWebHandler } from '../../../node/web/handler.ts'
import { ensureWeb, WEB_FOLDER } from '../../../scripts/web/build.ts'
import { ACCEPT } from './hosts.ts'

/** An answer on its way: headers are lower case. */
export interface Passing {
  headers: Record<string, string>
  body: Buffer
}

export interface TamperingHost {
  url: string
  /** Paths that were asked for, in order. */
  readonly asked: string[]
  /** Who changes what is served as a name: at most one at a time. */
  tampering: { name: string; change: (passing: Passing) => void } | undefined
  /** Headers that say what a browser keeps. */
  caching: Record<string, string>
  close(): void
}

const listen = async (handler: RequestListener): Promise<Server> => {
  const server = createServer(handler)
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  return server
}

const portOf = (server: Server) => (server.address() as AddressInfo).port

export const startTamperingHost = async (): Promise<TamperingHost> => {
  await ensureWeb()
  const agent = await listen(createWebHandler({ files: loadWebFiles(WEB_FOLDER), peer: ACCEPT }))
  const between = await listen(async ({ url = '' }, response) => {
    host.asked.push(url)
    const answer = await fetch(`http://127.0.0.1:${portOf(agent)}${url}`)
    const body = Buffer.from(await answer.arrayBuffer())
    // Names are for ever: the browser would keep what was tampered with, for the next test too.
    const passing = { headers: { ...Object.fromEntries(answer.headers), ...host.caching }, body }
    if (host.tampering && url === `/${host.tampering.name}`) host.tampering.change(passing)
    // It is unpacked here, and of another length.
    const { 'content-encoding': _, 'content-length': __, ...headers } = passing.headers
    response.writeHead(answer.status, headers).end(passing.body)
  })
  const host: TamperingHost = {
    // Another name than the site's, and so another site.
    url: `http://localhost:${portOf(between)}`,
    asked: [],
    tampering: undefined,
    caching: { 'cache-control': 'no-store' },
    close: () => {
      for (const server of [between, agent]) {
        server.close()
        server.closeAllConnections()
      }
    },
  }
  return host
}

/** One byte more, with which a script would do all that it did. */
export const appendSpace = (passing: Passing): void => {
  passing.body = Buffer.concat([passing.body, Buffer.from(' ')])
}

/** One byte of them is another. */
export const flipByte = ({ body }: Passing): void => {
  const middle = body.length >> 1
  body[middle] = (body[middle] as number) ^ 1
}
