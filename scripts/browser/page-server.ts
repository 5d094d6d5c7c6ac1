/** Serves a page and its files to browsers on this machine. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface PageFile {
  type: string
  body: string | Uint8Array
  headers?: Record<string, string>
}

export const HTML = 'text/html; charset=utf-8'
export const JAVASCRIPT = 'text/javascript; charset=utf-8'
export const WASM = 'application/wasm'

export interface PageServer {
  url: string
  /** Paths that were asked for, in order. */
  readonly asked: string[]
  close(): void
}

/** `files` by path, such as `/worker.js`; it may change. Ends with all its connections when closed. */
export const servePage = async (files: Record<string, PageFile>): Promise<PageServer> => {
  const asked: string[] = []
  const server = createServer(({ url = '' }, response) => {
    asked.push(url)
    const file = files[url]
    if (!file) return void response.writeHead(404).end()
    const headers = { 'content-type': file.type, 'cache-control': 'no-store', ...file.headers }
    response.writeHead(200, headers).end(file.body)
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const close = () => {
    server.close()
    server.closeAllConnections()
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, close }
}
