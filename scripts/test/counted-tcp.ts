/**
 * TCP on loopback that knows how many messages, one after another, led to what has arrived: each is one later than the latest that
 * its sender had heard over that connection. Half of it is round trips, however slow the machine is.
 */
import type { MultiaddrConnection } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { wrappedTcp } from './wrapped-tcp.ts'

/** What libp2p's connections write with. */
interface Writing {
  sendData(data: { byteLength: number }): unknown
}

/** One direction of one connection, by the address of who sends. */
interface Sent {
  bytes: number
  /** Where each message begins, and how late it is. */
  readonly messages: { from: number; depth: number }[]
}

const sent = new Map<string, Sent>()
const sentFrom = (end: string): Sent => {
  const known = sent.get(end) ?? { bytes: 0, messages: [] }
  sent.set(end, known)
  return known
}

const portOf = (address: unknown): string => /(?<=\/tcp\/)\d+/.exec(String(address))?.[0] ?? ''

const localPortOf = (connection: MultiaddrConnection): string =>
  String((connection as unknown as { socket: { localPort: number } }).socket.localPort)

export class CountedTcp {
  /** Of the latest message that this end has heard on any connection. */
  depth = 0

  readonly transport = wrappedTcp(tcp(), (connection) => this.#counted(connection))

  #counted(connection: MultiaddrConnection): MultiaddrConnection {
    const writing = connection as unknown as Writing
    const write = writing.sendData.bind(writing)
    // The dialler's port, which is another for each connection.
    const isDialler = connection.direction === 'outbound'
    const name = isDialler ? localPortOf(connection) : portOf(connection.remoteAddr)
    const [own, theirs] = [sentFrom(`${name} ${isDialler}`), sentFrom(`${name} ${!isDialler}`)]
    let heardBytes = 0
    writing.sendData = (data) => {
      own.messages.push({ from: own.bytes, depth: this.depth + 1 })
      own.bytes += data.byteLength
      return write(data)
    }
    connection.addEventListener('message', ({ data }) => {
      heardBytes += data.byteLength
      for (let next = theirs.messages[0]; next && next.from < heardBytes; next = theirs.messages[0]) {
        this.depth = Math.max(this.depth, next.depth)
        theirs.messages.shift()
      }
    })
    return connection
  }
}
