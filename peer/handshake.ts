/** The first frames of a link: both sides say hello, each accepts the other with a welcome, or says why not. */
import type { Envelope } from '../protocol/envelope.ts'
import { MeshError } from '../protocol/errors.ts'
import { FEATURES, type FrameOf } from '../protocol/frames.ts'
import { FRAME_BYTES_MAX } from '../protocol/limits.ts'
import type { Channel, Ports } from '../protocol/ports.ts'
import { createLink, type Link, type LinkHandlers, type LinkPorts } from './link.ts'

export const PROTOCOLS = [1]
/** Longer than two round trips anywhere on Earth and a signature on a slow phone. */
const HANDSHAKE_MS_MAX = 5000

/** What one side says and whom it lets in. */
export interface Introduction {
  hello(): Omit<FrameOf<'hello'>, 't' | 'protocols' | 'features'>
  /** Resolves with what the welcome carries, or rejects with the MeshError to say goodbye with. */
  admit(hello: FrameOf<'hello'>, peer: string): Promise<Admittance>
}

export interface Admittance {
  /** Shown to belong to the mesh; false only where the owner accepts anyone. */
  member: boolean
  /** Whose machine it is, by the first of them; undefined: it has shown no membership. */
  owner?: string | undefined
  /** The owner who let that one in (of the operator: itself); undefined: it has shown no membership. */
  inviter?: string | undefined
  /** It is a machine of this peer's owner. */
  own: boolean
  /** The membership chain just issued for a ticket, else empty. */
  issued: Envelope[]
  /** What shows that it is a member: issued just now, or checked. */
  chain: readonly Envelope[]
}

export interface Handshaken {
  link: Link
  admittance: Admittance
  hello: FrameOf<'hello'>
  /** The chain that the other side issued to us for our ticket, else empty. */
  received: Envelope[]
}

const ensureCommonProtocol = (hello: FrameOf<'hello'>) => {
  if (hello.protocols.some((protocol) => PROTOCOLS.includes(protocol))) return
  const message = `we speak protocol ${PROTOCOLS.join(', ')}, the other side ${hello.protocols.join(', ')}; update the older one`
  throw new MeshError('E_PROTOCOL_VERSION', message)
}

/**
 * Shakes hands over a channel just opened or accepted. Calls exactly one of `done` (which must call `link.receive`
 * before it returns) and `failed`.
 */
export const shakeHands = (
  ports: Pick<Ports, 'clock'> & LinkPorts,
  channel: Channel,
  self: Introduction,
  done: (result: Handshaken) => void,
  failed: (error: MeshError) => void,
): void => {
  let ended = false
  let hello: FrameOf<'hello'> | undefined
  let admittance: Admittance | undefined
  let received: Envelope[] | undefined

  const fail = (error: MeshError) => {
    if (ended) return
    ended = true
    stopTimer()
    failed(error)
  }

  const finishIfComplete = (link: Link) => {
    if (ended || !hello || !admittance || !received) return
    ended = true
    stopTimer()
    channel.allow(FRAME_BYTES_MAX)
    done({ link, admittance, hello, received })
  }

  const onHello = async (link: Link, frame: FrameOf<'hello'>) => {
    if (hello) throw new MeshError('E_MESSAGE', 'a second hello')
    hello = frame
    try {
      ensureCommonProtocol(frame)
      admittance = await self.admit(frame, link.peer)
    } catch (cause) {
      const error = cause instanceof MeshError ? cause : new MeshError('E_INTERNAL', 'the handshake failed', { cause })
      link.bye(error.code, error.message)
      fail(error)
      return
    }
    link.send({ t: 'welcome', chain: admittance.issued })
    finishIfComplete(link)
  }

  const handlers = (link: Link): LinkHandlers => ({
    frame: (frame) => {
      if (frame.t === 'hello') return onHello(link, frame)
      if (frame.t === 'bye') return fail(new MeshError(frame.code, `${link.peer} refused: ${frame.message}`))
      if (frame.t !== 'welcome' || received) throw new MeshError('E_MESSAGE', `a ${frame.t} before the handshake ended`)
      received = frame.chain
      finishIfComplete(link)
    },
    closed: (reason) => fail(new MeshError('E_UNREACHABLE', `${link.peer} closed during the handshake: ${reason}`)),
  })

  const stopTimer = ports.clock.after(HANDSHAKE_MS_MAX, () => {
    link.bye('E_TIMEOUT', 'the handshake took too long')
    fail(new MeshError('E_UNREACHABLE', `${channel.peer} did not complete the handshake within ${HANDSHAKE_MS_MAX} ms`))
  })
  const link = createLink(channel, ports, handlers)
  link.send({ t: 'hello', protocols: PROTOCOLS, features: [...FEATURES], ...self.hello() })
}

/** Says goodbye to a channel just accepted, before any hello. */
export const refuse = (ports: LinkPorts, channel: Channel, { code, message }: MeshError): void =>
  createLink(channel, ports, () => ({ frame: () => {}, closed: () => {} })).bye(code, message)
