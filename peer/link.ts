/** One peer at the other end of a channel: typed frames both ways. */
import { MeshError } from '../protocol/errors.ts'
import { type FrameOf, PeerFrame } from '../protocol/frames.ts'
import type { Channel, Ports } from '../protocol/ports.ts'

export interface LinkHandlers {
  /** Throwing (or rejecting with) a MeshError closes the link with that code: the other side broke the protocol. */
  frame(frame: PeerFrame): void | Promise<void>
  closed(reason: string): void
}

/** A typed channel. */
export interface Link {
  readonly peer: string
  readonly outbound: boolean
  readonly isOpen: boolean
  /** False: the buffer is full; wait for `drained()`. */
  send(frame: PeerFrame): boolean
  drained(): Promise<void>
  /** Hands all later frames to `handlers`; called again when the handshake passes the link on. */
  receive(handlers: LinkHandlers): void
  /** Says why, then closes. */
  bye(code: FrameOf<'bye'>['code'], message: string): void
}

/** Wraps a channel just handed over; `handlers` receive from the first frame on. */
export const createLink = (channel: Channel, log: Ports['log'], first: (link: Link) => LinkHandlers): Link => {
  let open = true

  const link: Link = {
    peer: channel.peer,
    outbound: channel.outbound,
    get isOpen() {
      return open
    },
    send: (frame) => open && channel.send(PeerFrame.encode(frame)),
    drained: () => channel.drained(),
    receive: (next) => {
      handlers = next
    },
    bye: (code, message) => {
      if (!open) return
      channel.send(PeerFrame.encode({ t: 'bye', code, message: message.slice(0, 1024) }))
      channel.close()
    },
  }

  const misbehaved = (cause: unknown) => {
    const known = cause instanceof MeshError
    const code = known ? cause.code : 'E_INTERNAL'
    log.event(known ? 'peer.misbehaved' : 'internal.error', {
      peer: channel.peer,
      code,
      reason: String((cause as Error).stack),
    })
    link.bye(code, known ? cause.message : 'internal error')
  }

  let handlers = first(link)
  channel.receive({
    frame: (bytes) => {
      try {
        const pending = handlers.frame(PeerFrame.decode(bytes))
        if (pending) return pending.catch(misbehaved)
      } catch (cause) {
        misbehaved(cause)
      }
    },
    closed: (reason) => {
      open = false
      handlers.closed(reason)
    },
  })
  return link
}
