/** What a page's peer sends and receives, for the account of the day. */
import type { Channel, Clock, Network } from '../../protocol/ports.ts'

/** Told of in sums: frames may be thousands a second. */
const TELL_EVERY_MS = 250
/** What goes with each frame: its length, the frame of the muxer, encryption, and the headers of the network below. */
const FRAME_OVERHEAD_BYTES = 100

/** Counts on the channels of `network` from now on, both ways; `carried` is told how many bytes more. */
export const countCarried = (
  network: Network,
  clock: Pick<Clock, 'after'>,
  carried: (bytes: number) => void,
): Network => {
  let untold = 0
  const add = (frame: Uint8Array) => {
    if (untold === 0) {
      clock.after(TELL_EVERY_MS, () => {
        carried(untold)
        untold = 0
      })
    }
    untold += frame.length + FRAME_OVERHEAD_BYTES
  }
  const [handle, open] = [network.handle.bind(network), network.open.bind(network)]
  network.handle = (protocol, accept, options) => handle(protocol, (channel) => accept(counted(channel, add)), options)
  network.open = async (...given) => counted(await open(...given), add)
  return network
}

const counted = (channel: Channel, add: (frame: Uint8Array) => void): Channel => {
  const [send, receive] = [channel.send.bind(channel), channel.receive.bind(channel)]
  channel.send = (frame) => {
    add(frame)
    return send(frame)
  }
  channel.receive = ({ frame, closed }) =>
    receive({
      frame: (bytes) => {
        add(bytes)
        return frame(bytes)
      },
      closed,
    })
  return channel
}
