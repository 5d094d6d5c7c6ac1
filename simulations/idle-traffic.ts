/** What peers say to each other while nobody calls anybody. */
import type { Ports } from '../protocol/ports.ts'
import { delegated, withEveryChannel } from './channels.ts'
import { createWorld, type Machine } from './world.ts'

/** Around each frame: its length 2, Noise 2 + 16, Yamux 12, TCP and IP with time stamps 52. */
export const FRAME_OVERHEAD_BYTES = 84
/** Neighbours are found, probed and chosen by then. */
const SETTLED_MS = 2 * 60_000

export interface IdleTraffic {
  /** Sent by a peer, on average; as much is heard. */
  bytesPerS: number
  framesPerS: number
  /** Of whoever sends most. */
  bytesPerSMax: number
}

interface Said {
  bytes: number
  frames: number
}

const counted = (ports: Ports, said: Said): Ports =>
  withEveryChannel(ports, (channel) => ({
    ...delegated(channel),
    send: (bytes) => {
      said.frames += 1
      said.bytes += bytes.length + FRAME_OVERHEAD_BYTES
      return channel.send(bytes)
    },
  }))

/** `peers` that all know each other by the first, over `overMs` of their time. What a DHT says is not among it. */
export const idleTraffic = async (
  machine: Machine,
  seed: number,
  peers: number,
  overMs: number,
): Promise<IdleTraffic> => {
  const said: Said[] = []
  const setup = () => {
    const mine = { bytes: 0, frames: 0 }
    said.push(mine)
    return { ports: (ports: Ports) => counted(ports, mine) }
  }
  const world = await createWorld({ machine, seed, peers, setup, keepsEvent: () => false })
  await world.clock.advance(SETTLED_MS)
  for (const mine of said) mine.bytes = mine.frames = 0
  await world.clock.advance(overMs)
  const seconds = overMs / 1000
  const total = (of: (mine: Said) => number) => said.reduce((sum, mine) => sum + of(mine), 0)
  const idle = {
    bytesPerS: total(({ bytes }) => bytes) / peers / seconds,
    framesPerS: total(({ frames }) => frames) / peers / seconds,
    bytesPerSMax: Math.max(...said.map(({ bytes }) => bytes)) / seconds,
  }
  // Whoever stops says goodbye to all, and they look for others.
  await world.stop()
  return idle
}
