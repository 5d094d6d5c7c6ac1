/**
 * TCP on loopback whose connections are as slow as if their ends were far apart. Every host has an address of its own in
 * 127.0.0.0/8, as machines have, so that either end of a connection knows how far away the other is. For Linux, where all of
 * them are there.
 */
import type { MultiaddrConnection } from '@libp2p/interface'
import { type TCPSocketOptions, tcp } from '@libp2p/tcp'
import { wrappedTcp } from '../scripts/test/wrapped-tcp.ts'

/** What libp2p's connections write with. */
interface Writing {
  sendData(data: Iterable<Uint8Array> & { byteLength: number; subarray(): Uint8Array }): unknown
  sendClose(options?: unknown): Promise<void>
}

/** Timers of Node are of whole ms. */
const EARLY_MS = 0.5

/** One way: what is sent arrives in order, so many ms later. */
class Line {
  readonly #delayMs: number
  readonly #sent: { dueMs: number; arrive: () => void }[] = []

  constructor(delayMs: number) {
    this.#delayMs = delayMs
  }

  send(arrive: () => void): void {
    this.#sent.push({ dueMs: performance.now() + this.#delayMs, arrive })
    if (this.#sent.length === 1) this.#wait()
  }

  #wait(): void {
    const [next] = this.#sent
    if (next) setTimeout(() => this.#deliver(), Math.max(0, next.dueMs - performance.now()))
  }

  #deliver(): void {
    const nowMs = performance.now() + EARLY_MS
    while (this.#sent[0] && this.#sent[0].dueMs <= nowMs) this.#sent.shift()?.arrive()
    this.#wait()
  }
}

/** What this end writes, the end of it included, leaves after the delay. */
const delayed = (connection: MultiaddrConnection, delayMs: number): MultiaddrConnection => {
  const writing = connection as unknown as Writing
  const write = writing.sendData.bind(writing)
  const close = writing.sendClose.bind(writing)
  const line = new Line(delayMs)
  writing.sendData = (data) => {
    const bytes = data.subarray()
    const pieces = Object.assign([bytes], { byteLength: bytes.byteLength, subarray: () => bytes })
    line.send(() => write(pieces))
    return { sentBytes: bytes.byteLength, canSendMore: true }
  }
  writing.sendClose = (options) =>
    new Promise((resolve, reject) => line.send(() => close(options).then(resolve, reject)))
  return connection
}

/** `delayMs`: one way to the host of that address, ms. */
export const delayedTcp = (localAddress: string, delayMs: (host: string) => number) =>
  // Handed to `net.connect` as it is, which its type leaves out.
  wrappedTcp(tcp({ dialOpts: { localAddress } as TCPSocketOptions }), (connection) => {
    const [host] = /(?<=\/ip4\/)[^/]+/.exec(String(connection.remoteAddr)) ?? []
    return delayed(connection, delayMs(host as string))
  })
