/** A road to a node that can be closed for a while: requests arrive afterwards, also if those who sent them have gone. */
import { once } from 'node:events'
import { createConnection, createServer, type Server, type Socket } from 'node:net'

export class SlowRoad {
  /** `http://HOST:PORT` where it begins. */
  endpoint = ''
  readonly #to: URL
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  /** What waits for its turn, each piece with the way that it goes on. */
  #waiting: { piece: Buffer; to: Socket }[] = []
  #isClosed = false
  #isCut = false

  constructor(to: string) {
    this.#to = new URL(to)
    this.#server = createServer((near) => this.#join(near))
  }

  async open(): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    this.endpoint = `http://127.0.0.1:${(this.#server.address() as { port: number }).port}`
  }

  hold(): void {
    this.#isClosed = true
  }

  /** Whoever is on it falls off, and nobody gets on. */
  cut(): void {
    this.#isCut = true
    for (const socket of this.#sockets) socket.destroy()
    this.#sockets.clear()
  }

  mend(): void {
    this.#isCut = false
  }

  get hasWaiting(): boolean {
    return this.#waiting.length > 0
  }

  /** Resolves when whatever waited has been answered. */
  async release(): Promise<void> {
    this.#isClosed = false
    const waiting = this.#waiting
    this.#waiting = []
    const answered = [...new Set(waiting.map(({ to }) => to))].map((to) => once(to, 'data'))
    for (const { piece, to } of waiting) to.write(piece)
    await Promise.all(answered)
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #join(near: Socket): void {
    if (this.#isCut) return void near.destroy()
    const far = createConnection(Number(this.#to.port), this.#to.hostname)
    for (const socket of [near, far]) {
      this.#sockets.add(socket)
      socket.on('error', () => {})
    }
    near.on('data', (piece) => {
      if (this.#isClosed) this.#waiting.push({ piece, to: far })
      else far.write(piece)
    })
    far.on('data', (piece) => near.write(piece))
    far.on('close', () => near.destroy())
  }
}
