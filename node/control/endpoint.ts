/** Where an agent answers its owner: a socket in its data directory, and a small file that says so. */
import { existsSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { createConnection, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import * as v from 'valibot'
import { MeshError } from '../../protocol/errors.ts'

/** What the operating systems leave of a socket's name: 104 bytes on macOS, 108 on Linux. */
const SOCKET_PATH_BYTES_MAX = 103

const endpointSchema = v.object({
  pid: v.pipe(v.number(), v.integer(), v.minValue(1)),
  socket: v.string(),
  wayside: v.string(),
})
/** Which process holds the data directory, and the path of its socket. */
export type Endpoint = v.InferOutput<typeof endpointSchema>

const endpointFile = (data: string) => join(data, 'agent.json')

/** A fresh path: in the data directory, or under the temporary one where that would be too long for a socket. */
const chooseSocketPath = (data: string): string => {
  if (process.platform === 'win32') return `\\\\.\\pipe\\wayside-${crypto.randomUUID()}`
  const path = join(data, 'agent.sock')
  if (Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX) return path
  return join(mkdtempSync(join(tmpdir(), 'wayside-')), 'agent.sock')
}

/** The endpoint that the data directory names, whether or not anybody answers there. */
export const readEndpoint = (data: string): Endpoint | undefined => {
  try {
    return v.parse(endpointSchema, JSON.parse(readFileSync(endpointFile(data), 'utf8')))
  } catch {
    return undefined
  }
}

/**
 * Listens where only the owner can connect and writes the endpoint down. Only the process that holds the data
 * directory may call it: what an agent before left there is replaced.
 */
export const listenForOwner = async (server: Server, data: string, version: string): Promise<void> => {
  forgetEndpoint(data)
  const socket = chooseSocketPath(data)
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      // The socket is made within this call, so that nobody else can connect for a moment.
      const before = process.umask(0o177)
      server.listen(socket, resolve)
      process.umask(before)
    })
  } catch (cause) {
    const message = `the control socket ${socket} cannot be made (${(cause as Error).message}); choose another directory with --data`
    throw new MeshError('E_STORAGE', { message, socket }, { cause })
  }
  const endpoint: Endpoint = { pid: process.pid, socket, wayside: version }
  writeFileSync(endpointFile(data), `${JSON.stringify(endpoint)}\n`, { mode: 0o600 })
}

/** Removes socket and endpoint. */
export const forgetEndpoint = (data: string): void => {
  const endpoint = readEndpoint(data)
  rmSync(endpointFile(data), { force: true })
  if (!endpoint || process.platform === 'win32') return
  rmSync(endpoint.socket, { force: true })
  if (dirname(endpoint.socket) === data) return
  try {
    rmdirSync(dirname(endpoint.socket))
  } catch {
    // Gone already, or something else is in it: then it stays.
  }
}

const connected = (path: string): Promise<Socket | undefined> =>
  new Promise((resolve) => {
    const socket = createConnection(path)
    socket.once('connect', () => resolve(socket))
    socket.once('error', () => resolve(undefined))
  })

/** A connection to the agent of a data directory; undefined if none listens. */
export const connectEndpoint = async (data: string): Promise<Socket | undefined> => {
  const endpoint = readEndpoint(data)
  if (!endpoint || (process.platform !== 'win32' && !existsSync(endpoint.socket))) return undefined
  return connected(endpoint.socket)
}
