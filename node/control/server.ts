/** The agent's side of the control socket: one session a connection, each request on its own. */
import { createServer, type Server, type Socket } from 'node:net'
import { MeshError } from '../../protocol/errors.ts'
import { MIB } from '../../protocol/limits.ts'
import { VERSION } from '../version.ts'
import { forgetEndpoint, listenForOwner } from './endpoint.ts'
import { FrameSocket } from './frame-socket.ts'
import { AgentFrame, CONTROL_FRAME_BYTES_MAX, CONTROL_VERSION, CommandFrame } from './frames.ts'
import { type AgentControls, Session } from './session.ts'

/** Commands of one owner at one time. */
export const CONNECTIONS_MAX = 128
/** Of one connection: whoever asks on without reading the answers is cut off here. */
export const CONTROL_UNREAD_BYTES_MAX = 256 * MIB
/** For what was sent to arrive. */
const CLOSE_MS = 200

const serve = (raw: Socket, controls: AgentControls) => {
  const socket = new FrameSocket(raw, CONTROL_FRAME_BYTES_MAX)
  const session = new Session(controls, (frame) => {
    if (raw.writableLength > CONTROL_UNREAD_BYTES_MAX) socket.destroy()
    else socket.send(AgentFrame.encode(frame))
  })
  let greeted = false
  socket.receive({
    frame: (bytes) => {
      const frame = CommandFrame.decode(bytes)
      if (greeted) return session.onFrame(frame)
      if (frame.t !== 'hello') throw new MeshError('E_MESSAGE', `a ${frame.t} before the hello`)
      greeted = true
      // A command of another version has our hello, and says what to do.
      if (frame.control !== CONTROL_VERSION) socket.end()
    },
    closed: () => session.close(),
  })
  socket.send(AgentFrame.encode({ t: 'hello', control: CONTROL_VERSION, wayside: VERSION }))
  return socket
}

export interface ControlServer {
  /** Ends every connection and removes the socket. */
  close(): Promise<void>
}

/** Answers the owner's commands in `data`. Throws MeshError E_STORAGE if no socket can be made. */
export const startControlServer = async (data: string, controls: AgentControls): Promise<ControlServer> => {
  const sockets = new Set<FrameSocket>()
  const server: Server = createServer((raw) => {
    const socket = serve(raw, controls)
    sockets.add(socket)
    raw.once('close', () => sockets.delete(socket))
  })
  server.maxConnections = CONNECTIONS_MAX
  await listenForOwner(server, data, VERSION)
  return {
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const socket of sockets) socket.end()
      forgetEndpoint(data)
      // Whoever reads no more does not hold up the end.
      const timer = setTimeout(() => {
        for (const socket of sockets) socket.destroy()
      }, CLOSE_MS)
      await closed
      clearTimeout(timer)
    },
  }
}
