import { yamux } from '@chainsafe/libp2p-yamux'
import type { MessageStream, Stream, StreamMuxer, StreamMuxerFactory } from '@libp2p/interface'
import {
  CONNECTION_UNSENT_BYTES_MAX,
  MUXER_UNPARSED_BYTES_MAX,
  STREAM_UNREAD_BYTES_MAX,
  STREAM_WINDOW_BYTES_MAX,
  STREAMS_PER_CONNECTION_MAX,
} from './limits.ts'

const createYamux = yamux({
  maxInboundStreams: STREAMS_PER_CONNECTION_MAX,
  maxOutboundStreams: STREAMS_PER_CONNECTION_MAX,
  // Streams that come before we have listened for them. More than this would end the connection: punish nobody's haste.
  maxEarlyStreams: STREAMS_PER_CONNECTION_MAX,
  streamOptions: { maxStreamWindowSize: STREAM_WINDOW_BYTES_MAX, maxReadBufferLength: STREAM_UNREAD_BYTES_MAX },
})

/** The bytes of a frame that has not come whole; yamux has no accessor for them and checks them only afterwards. */
const unparsedBytes = (muxer: StreamMuxer): number =>
  (muxer as unknown as { decoder: { buffer: { byteLength: number } } }).decoder.buffer.byteLength

/**
 * yamux with limits on what it does not limit: the bytes it holds of one frame (whose header may say 4 GiB), and the
 * replies it owes to one who does not read them.
 */
export const boundedYamux = (): StreamMuxerFactory => {
  const factory = createYamux()
  return {
    protocol: factory.protocol,
    createStreamMuxer(connection: MessageStream): StreamMuxer {
      connection.maxWriteBufferLength = CONNECTION_UNSENT_BYTES_MAX
      const muxer = factory.createStreamMuxer(connection)
      connection.addEventListener('message', () => {
        if (unparsedBytes(muxer) > MUXER_UNPARSED_BYTES_MAX)
          connection.abort(new Error('a yamux frame above its window'))
      })
      return muxer
    },
  }
}

/** What yamux keeps of a stream's receive window, bytes, and how it tells the other side that there is room again. */
interface ReceiveWindow {
  state: number
  recvWindow: number
  recvWindowCapacity: number
  sendWindowUpdate(): void
}

/** `StreamState.Established`, which yamux does not export. */
const ESTABLISHED = 3

/**
 * yamux says after every frame that there is room again, so that each small message is answered by a frame and two
 * system calls before it is read. Half a window of room is enough to say nothing, as in Go's yamux.
 */
export const announceRoomByHalves = (stream: Stream): void => {
  const window = stream as unknown as ReceiveWindow
  const announce = window.sendWindowUpdate
  window.sendWindowUpdate = () => {
    const roomy = window.recvWindowCapacity > window.recvWindow / 2
    if (window.state !== ESTABLISHED || !roomy) announce.call(window)
  }
}
