/**
 * The floor under any call: an echo over one raw long-lived libp2p stream (TCP, noise, yamux), u32 length and id before
 * each message, that a worker thread of the other process answers.
 */
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import type { Stream } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { createLibp2p } from 'libp2p'

export const FLOOR_PROTOCOL = '/wayside-bench/echo'

export const createFloorNode = (listen: boolean) =>
  createLibp2p({
    addresses: { listen: listen ? ['/ip4/127.0.0.1/tcp/0'] : [] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
  })

export const frame = (id: number, payload: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(8 + payload.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, payload.length)
  view.setUint32(4, id)
  bytes.set(payload, 8)
  return bytes
}

/** Calls `message` for each whole frame of the stream. */
export const onFrames = (stream: Stream, message: (id: number, payload: Uint8Array) => void): void => {
  let rest: Uint8Array<ArrayBufferLike> = new Uint8Array()
  stream.addEventListener('message', ({ data }) => {
    const chunk = data.subarray()
    let bytes = chunk
    if (rest.length > 0) {
      bytes = new Uint8Array(rest.length + chunk.length)
      bytes.set(rest)
      bytes.set(chunk, rest.length)
    }
    let at = 0
    while (bytes.length - at >= 8) {
      const view = new DataView(bytes.buffer, bytes.byteOffset + at)
      const length = view.getUint32(0)
      if (bytes.length - at - 8 < length) break
      message(view.getUint32(4), bytes.subarray(at + 8, at + 8 + length))
      at += 8 + length
    }
    rest = bytes.subarray(at)
  })
}
