/** What the tests of the memo share: outcomes worth keeping, and a storage that survives the memo. */
import { vi } from 'vitest'
import { createCrypto } from '../node/crypto.ts'
import { type CID, rawCid } from '../protocol/cid.ts'
import { MIB } from '../protocol/limits.ts'
import type { LogEventName, LogFields } from '../protocol/log.ts'
import { Outcome } from '../protocol/outcome.ts'
import type { Storage } from '../protocol/ports.ts'
import type { Manifest } from '../protocol/records.ts'
import { encodeValue } from '../protocol/values.ts'
import { FakeClock } from '../simulations/clock.ts'
import type { Level } from './calls.ts'
import { Memo, type Verified } from './memo.ts'
import type { KeptLevel } from './memo-entry.ts'
import { createMemoryStorage } from './storage/memory.ts'

export const crypto = createCrypto()
export const HOUR_MS = 60 * 60 * 1000
export const SELF: KeptLevel = { level: 'self' }

export const taskOf = (n: number): CID => rawCid(crypto, Uint8Array.of(n))

/** What a function made of `value`, with `bytes` bytes beside. */
export const outcomeOf = (value: number, bytes = 1): Outcome => ({
  v: 1,
  result: { ok: true, value: encodeValue({ value, bytes: new Uint8Array(bytes) }) },
  requests: [],
  console: [{ level: 'log', text: `worked on ${value}` }],
  fuel: 7,
  memory_bytes: 9,
})

export const pure = { effects: [] as string[] } as Manifest

export const verified = (outcome: Outcome, changes: Partial<Verified> = {}): Verified => ({
  manifest: pure,
  outcome,
  outcomeBytes: Outcome.encode(outcome),
  level: SELF,
  signers: ['ann', 'me'],
  ...changes,
})

export interface MemoWorld {
  /** Survives the memo: closing it does nothing. */
  storage: Storage
  clock: FakeClock
  events: [LogEventName, LogFields][]
  /** Called before each write; may throw. */
  beforeWrite: () => void | Promise<void>
  /** By whether they had to last. */
  writes: boolean[]
  open(budgetBytes?: number): Promise<Memo>
}

export const createWorld = (): MemoWorld => {
  const memory = createMemoryStorage()
  const world: MemoWorld = {
    clock: new FakeClock(),
    events: [],
    writes: [],
    beforeWrite: vi.fn(),
    storage: {
      ...memory,
      close: async () => {},
      write: async (writes, options) => {
        world.writes.push(options?.durable ?? false)
        await world.beforeWrite()
        await memory.write(writes, options)
      },
    },
    open: async (budgetBytes = MIB) => {
      const { storage, clock } = world
      const log = { event: (name: LogEventName, fields: LogFields = {}) => void world.events.push([name, fields]) }
      const memo = new Memo({ storage, clock, crypto, log }, { budgetBytes })
      await memo.opened
      return memo
    },
  }
  return world
}

export const find = async (memo: Memo, n: number, level: Level = SELF) => memo.find(taskOf(n), level)

/** Of all that storage holds. */
export const keysOf = async ({ storage }: MemoWorld) => {
  const keys: string[] = []
  for await (const { key } of storage.scan('')) keys.push(key)
  return keys
}
