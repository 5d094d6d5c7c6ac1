/** Servers on loopback that answer as a test says, and tell what they were asked. They end with the running test. */
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { type AddressInfo, createServer as createRawServer, type Server, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import type { Certificate } from '../../web-serving.ts'

const listening = async (server: Server): Promise<number> => {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
  })
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise<void>((resolve) => server.close(() => resolve()))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

/** What a server was asked: method, path, headers, body as text. */
export interface Asked {
  method: string
  path: string
  headers: IncomingMessage['headers']
  body: string
  /** TLS: resumed what an earlier connection had agreed on. */
  isResumed: boolean
}

export interface TestServer {
  port: number
  origin: string
  asked: Asked[]
  connections(): number
}

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part)
  return Buffer.concat(parts).toString('latin1')
}

/** http, or https with a certificate; `answer` is called once the whole request is there. */
export const serve = async (answer: RequestListener, certificate?: Certificate): Promise<TestServer> => {
  const asked: Asked[] = []
  let connections = 0
  const listener: RequestListener = async (request, response) => {
    const { method = '', url: path = '', headers, socket } = request
    const body = await bodyOf(request)
    const isResumed = 'isSessionReused' in socket && (socket.isSessionReused as () => boolean)()
    asked.push({ method, path, headers, body, isResumed })
    answer(request, response)
  }
  const server = certificate ? createSecureServer(certificate, listener) : createServer(listener)
  server.on('connection', () => connections++)
  const port = await listening(server)
  const origin = `${certificate ? 'https' : 'http'}://localhost:${port}`
  return { port, origin, asked, connections: () => connections }
}

/** TCP: `act` gets each connection once something has come over it, and what came. */
export const serveRaw = async (act: (socket: Socket, received: string) => void): Promise<TestServer> => {
  let connections = 0
  const server = createRawServer((socket) => {
    connections++
    socket.once('data', (data) => act(socket, data.toString('latin1')))
  })
  const port = await listening(server)
  return { port, origin: `http://localhost:${port}`, asked: [], connections: () => connections }
}
