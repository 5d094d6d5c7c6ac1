/** Whole frames on a byte stream: each after its length, 4 bytes, big-endian. */
import type { Socket } from 'node:net'

const LENGTH_BYTES = 4

export interface FrameHandlers {
  /** What it throws ends the connection. */
  frame(frame: Uint8Array): void
  /** Once; `error` is what ended it, if anything did. */
  closed(error: Error | undefined): void
}

export class FrameSocket {
  readonly #socket: Socket
  readonly #frameBytesMax: number
  #chunks: Buffer[] = []
  #buffered = 0
  /** Bytes that must be there before it is worth looking again. */
  #needed = LENGTH_BYTES
  #error: Error | undefined

  constructor(socket: Socket, frameBytesMax: number) {
    this.#socket = socket
    this.#frameBytesMax = frameBytesMax
  }

  /** Frames of one turn leave in one write. */
  send(frame: Uint8Array): void {
    const socket = this.#socket
    if (socket.destroyed) return
    if (!socket.writableCorked) {
      socket.cork()
      process.nextTick(() => socket.uncork())
    }
    const length = Buffer.allocUnsafe(LENGTH_BYTES)
    length.writeUInt32BE(frame.length)
    socket.write(length)
    socket.write(frame)
  }

  receive(handlers: FrameHandlers): void {
    const socket = this.#socket
    socket.on('error', (error) => {
      this.#error ??= error
    })
    socket.on('close', () => handlers.closed(this.#error))
    socket.on('data', (chunk: Buffer) => {
      try {
        this.#take(chunk, handlers)
      } catch (error) {
        this.#error = error as Error
        socket.destroy()
      }
    })
  }

  /** What was sent before still goes out. */
  end(): void {
    this.#socket.end()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** An idle connection then no longer keeps the process alive. */
  unref(): void {
    this.#socket.unref()
  }

  ref(): void {
    this.#socket.ref()
  }

  #take(chunk: Buffer, { frame }: FrameHandlers): void {
    this.#chunks.push(chunk)
    this.#buffered += chunk.length
    if (this.#buffered < this.#needed) return
    let bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks)
    for (;;) {
      const length = bytes.length < LENGTH_BYTES ? 0 : bytes.readUInt32BE()
      if (length > this.#frameBytesMax) throw new Error(`a frame of ${length} bytes; at most ${this.#frameBytesMax}`)
      this.#needed = LENGTH_BYTES + length
      if (bytes.length < this.#needed) break
      frame(new Uint8Array(bytes.buffer, bytes.byteOffset + LENGTH_BYTES, length))
      bytes = bytes.subarray(this.#needed)
    }
    this.#chunks = bytes.length > 0 ? [bytes] : []
    this.#buffered = bytes.length
  }
}
