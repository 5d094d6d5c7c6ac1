/** A command's connection to the agent: requests by id, each with its answers. Imports nothing heavy. */
import { MeshError } from '../../protocol/errors.ts'
import { shownDataDir } from '../data-dir.ts'
import { VERSION } from '../version.ts'
import { connectEndpoint } from './endpoint.ts'
import { FrameSocket } from './frame-socket.ts'
import { AgentFrame, CONTROL_FRAME_BYTES_MAX, CONTROL_VERSION, CommandFrame } from './frames.ts'

/** An agent that is alive but has not said hello by then is stuck. */
const HELLO_MS_MAX = 5000

export type Answer = Exclude<AgentFrame, { t: 'hello' }>
/** A request as its sender writes it; the connection chooses the id. */
type WithoutId<F> = F extends { id: number } ? Omit<F, 'id'> : never
export type Request = WithoutId<CommandFrame>

export interface AnswerHandlers {
  answer(frame: Answer): void
  /** The connection is gone; nothing further comes. */
  lost(error: MeshError): void
}

export const notRunning = (data: string): MeshError => {
  const { shown, flag } = shownDataDir(data)
  const message = `no agent answers in ${shown}; start one with \`wayside up${flag}\``
  return new MeshError('E_AGENT_NOT_RUNNING', { message, directory: data })
}

const ensureSameVersion = (hello: { control: number; wayside: string }, data: string) => {
  if (hello.control === CONTROL_VERSION) return
  const { flag } = shownDataDir(data)
  const message = `the agent is wayside ${hello.wayside}, this command is ${VERSION}, and they do not understand each other; restart the agent with this version: \`wayside down${flag}\`, then \`wayside up${flag}\``
  throw new MeshError('E_PROTOCOL_VERSION', { message, agent: hello.wayside, command: VERSION })
}

export class AgentClient {
  readonly #socket: FrameSocket
  readonly #open = new Map<number, AnswerHandlers>()
  #nextId = 1
  #lost: MeshError | undefined

  constructor(socket: FrameSocket) {
    this.#socket = socket
  }

  /** Sends a request; its answers come until `forget`. */
  open(request: Request, handlers: AnswerHandlers): number {
    const id = this.#nextId++
    if (this.#lost) {
      queueMicrotask(() => handlers.lost(this.#lost as MeshError))
      return id
    }
    this.#open.set(id, handlers)
    this.follow(id, request)
    return id
  }

  /** Sends what belongs to a request made before. */
  follow(id: number, frame: Request): void {
    this.#socket.send(CommandFrame.encode({ ...frame, id } as CommandFrame))
  }

  forget(id: number): void {
    this.#open.delete(id)
  }

  /** One request with one answer. Throws the MeshError that the agent answered with. */
  ask<T extends Answer['t']>(request: Request, expected: T): Promise<Extract<Answer, { t: T }>> {
    return new Promise((resolve, reject) => {
      const id = this.open(request, {
        answer: (frame) => {
          this.forget(id)
          if (frame.t === expected) resolve(frame as Extract<Answer, { t: T }>)
          else reject(errorOf(frame))
        },
        lost: reject,
      })
    })
  }

  close(): void {
    this.#socket.end()
  }

  onFrame(frame: AgentFrame): void {
    if (frame.t !== 'hello') this.#open.get(frame.id)?.answer(frame)
  }

  onLost(error: MeshError): void {
    this.#lost = error
    for (const handlers of this.#open.values()) handlers.lost(error)
    this.#open.clear()
  }
}

/** The failure that the agent answered with; for any other frame, a defect. */
export const errorOf = (frame: Answer): MeshError =>
  frame.t === 'failed'
    ? new MeshError(frame.code, frame.message)
    : new MeshError('E_INTERNAL', `the agent answered with an unexpected ${frame.t}; report this`)

/**
 * Connects to the agent of a data directory. Throws MeshError E_AGENT_NOT_RUNNING, or E_PROTOCOL_VERSION if it is of a
 * version that speaks otherwise.
 */
export const connectAgent = async (data: string): Promise<AgentClient> => {
  const raw = await connectEndpoint(data)
  if (!raw) throw notRunning(data)
  const socket = new FrameSocket(raw, CONTROL_FRAME_BYTES_MAX)
  const client = new AgentClient(socket)
  await new Promise<void>((resolve, reject) => {
    const stuck = () => {
      reject(
        new MeshError(
          'E_AGENT_NOT_RUNNING',
          `the agent in ${data} does not answer; end its process and start it again`,
        ),
      )
      socket.destroy()
    }
    const timer = setTimeout(stuck, HELLO_MS_MAX)
    let greeted = false
    socket.receive({
      frame: (bytes) => {
        const frame = AgentFrame.decode(bytes)
        if (greeted) return client.onFrame(frame)
        if (frame.t !== 'hello') throw new Error(`a ${frame.t} before the hello`)
        greeted = true
        clearTimeout(timer)
        ensureSameVersion(frame, data)
        resolve()
      },
      closed: (error) => {
        clearTimeout(timer)
        const why = error ? `: ${error.message}` : ''
        const gone = new MeshError('E_AGENT_NOT_RUNNING', `the agent ended the connection${why}; see \`wayside logs\``)
        reject(error instanceof MeshError ? error : gone)
        client.onLost(gone)
      },
    })
    socket.send(CommandFrame.encode({ t: 'hello', control: CONTROL_VERSION, wayside: VERSION }))
  })
  return client
}
