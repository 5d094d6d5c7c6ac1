/** What the tests of the block exchange share: one exchange, and peers whose channels the test plays. */
import { vi } from 'vitest'
import { createCrypto } from '../node/crypto.ts'
import { createMemoryStorage } from '../peer/storage/memory.ts'
import { type CID, rawCid } from '../protocol/cid.ts'
import type { BlockFrame } from '../protocol/frames.ts'
import { BLOCK_CHUNK_BYTES } from '../protocol/limits.ts'
import type { Channel } from '../protocol/ports.ts'
import { FakeClock } from '../simulations/clock.ts'
import { createBlockExchange } from './block-exchange.ts'
import { openBlockStore } from './block-store.ts'
import { ScriptedChannel } from './scripted-channel.ts'

const crypto = createCrypto()

export interface TestBlock {
  readonly cid: CID
  readonly bytes: Uint8Array
}

/** Block `n`: `size` bytes that no other `n` has, and no two chunks of which are equal. */
export const block = (n: number, size = 100): TestBlock => {
  const bytes = new Uint8Array(size).map((_, index) => n + (index >> 16))
  return { bytes, cid: rawCid(crypto, bytes) }
}

/** The frames that carry `bytes` under the name `cid`. */
export const chunksOf = ({ cid, bytes }: TestBlock): BlockFrame[] =>
  Array.from({ length: Math.ceil(bytes.length / BLOCK_CHUNK_BYTES) }, (_, index) => {
    const offset = index * BLOCK_CHUNK_BYTES
    return { t: 'block', cid, size: bytes.length, offset, bytes: bytes.subarray(offset, offset + BLOCK_CHUNK_BYTES) }
  })

/** The CIDs that our side has wanted on `channel`, as text. */
export const wantsOn = (channel: ScriptedChannel | undefined): string[] =>
  channel?.sent.flatMap((frame) => (frame.t === 'want' ? frame.cids.map(String) : [])) ?? []

export const createExchangeWorld = async ({ clock = new FakeClock(), budgetBytes = 1 << 24 } = {}) => {
  const log = { event: vi.fn() }
  const storage = createMemoryStorage()
  const store = await openBlockStore({ storage, clock, crypto, log }, { budgetBytes })
  /** The latest channel opened to each peer. */
  const channels = new Map<string, ScriptedChannel>()
  const open = vi.fn(async (peer: string): Promise<Channel> => {
    const channel = new ScriptedChannel(peer)
    channels.set(peer, channel)
    return channel
  })
  const misbehaved = vi.fn()
  const exchange = createBlockExchange({ clock, log }, { store, open, misbehaved })
  return {
    clock,
    log,
    storage,
    store,
    open,
    misbehaved,
    exchange,
    channel: (peer: string): ScriptedChannel => {
      const channel = channels.get(peer)
      if (!channel) throw new Error(`no channel to ${peer} was opened`)
      return channel
    },
    /** Begins a fetch and lets its first wants go out. */
    start: async (cid: CID, sources: readonly string[], signal?: AbortSignal) => {
      const result = exchange.fetch(cid, sources, signal)
      result.catch(() => {})
      await clock.advance(0)
      return { result }
    },
    /** `peer` answers a want with all of `block`. */
    answer: async (peer: string, block: TestBlock) => {
      const channel = channels.get(peer)
      await channel?.deliver({ t: 'have', cids: [block.cid], missing: [] })
      for (const chunk of chunksOf(block)) await channel?.deliver(chunk)
      await clock.advance(0)
    },
    /** `peer` answers a want with "not here". */
    lack: async (peer: string, cid: CID) => {
      await channels.get(peer)?.deliver({ t: 'have', cids: [], missing: [cid] })
      await clock.advance(0)
    },
  }
}
