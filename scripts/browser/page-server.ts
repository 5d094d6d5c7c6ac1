/** Serves a page and its files to browsers on this machine. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface PageFile {
  type: string
  body: string | Uint8Array
}

export const HTML = 'text/html; charset=utf-8'
export const JAVASCRIPT = 'text/javascript; charset=utf-8'
export const WASM = 'application/wasm'

/** `files` by path, such as `/worker.js`. Ends with all its connections when closed. */
export const servePage = async (files: Record<string, PageFile>): Promise<{ url: string; close(): void }> => {
  const server = createServer(({ url }, response) => {
    const file = files[url ?? '']
    if (!file) return void response.writeHead(404).end()
    response.writeHead(200, { 'content-type': file.type, 'cache-control': 'no-store' }).end(file.body)
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const close = () => {
    server.close()
    server.closeAllConnections()
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close }
}
