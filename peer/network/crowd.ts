/** What all connections together may hold, which none of their own limits says. */
import type { Connection } from '@libp2p/interface'
import type { Log } from '../../protocol/log.ts'
import type { Clock } from '../../protocol/ports.ts'
import { CROWD_EVERY_MS, HELD_BYTES_MAX, IDLE_CONNECTION_MS } from './limits.ts'

export interface CrowdOptions {
  clock: Pick<Clock, 'monotonic' | 'after'>
  log: Log
  connections(): Connection[]
  /** Bytes that the channels to this peer hold themselves. */
  channelBytes(peer: string): number
}

export class Crowd {
  readonly #options: CrowdOptions
  /** Monotonic instant at which each last had a stream. */
  readonly #busyMs = new WeakMap<Connection, number>()
  #cancel: () => void = () => {}

  constructor(options: CrowdOptions) {
    this.#options = options
  }

  /** Again is as once: a network may be started to learn of a mesh, and then by the peer. */
  start(): void {
    this.#cancel()
    this.#cancel = this.#options.clock.after(CROWD_EVERY_MS, () => {
      this.start()
      this.#endIdle()
      this.#endHeaviest()
    })
  }

  stop(): void {
    this.#cancel()
  }

  /** Whoever connects and wants nothing takes the place of somebody who does. */
  #endIdle(): void {
    const nowMs = this.#options.clock.monotonic()
    for (const connection of this.#options.connections()) {
      const busyMs = this.#busyMs.get(connection)
      if (busyMs === undefined || connection.streams.length > 0) this.#busyMs.set(connection, nowMs)
      else if (nowMs - busyMs >= IDLE_CONNECTION_MS) connection.close().catch(() => {})
    }
  }

  #endHeaviest(): void {
    const held = this.#options.connections().map((connection) => ({ connection, bytes: this.#heldBy(connection) }))
    let total = held.reduce((sum, { bytes }) => sum + bytes, 0)
    for (const { connection, bytes } of held.sort((a, b) => b.bytes - a.bytes)) {
      if (total <= HELD_BYTES_MAX) return
      total -= bytes
      const reason = `its connection holds ${bytes} bytes, the most of all, which together may hold ${HELD_BYTES_MAX}`
      this.#options.log.event('peer.misbehaved', {
        peer: connection.remotePeer.toString(),
        code: 'E_MESSAGE_LIMIT',
        reason,
      })
      connection.abort(new Error(reason))
    }
  }

  #heldBy(connection: Connection): number {
    const inStreams = connection.streams.reduce(
      (sum, { readBufferLength, writeBufferLength }) => sum + readBufferLength + writeBufferLength,
      0,
    )
    return inStreams + this.#options.channelBytes(connection.remotePeer.toString())
  }
}
