import { describe, expect, test } from 'vitest'
import type { CID } from '../protocol/cid.ts'
import { MeshError } from '../protocol/errors.ts'
import { MIB } from '../protocol/limits.ts'
import type { BlockExchange } from '../registry/block-exchange.ts'
import { openBlockStore } from '../registry/block-store.ts'
import { publishFunction } from '../registry/functions.ts'
import type { SandboxPool } from '../sandbox/pool.ts'
import { machine } from '../scripts/test/world.ts'
import { FakeClock } from '../simulations/clock.ts'
import { createRunner } from './runner.ts'
import { createMemoryStorage } from './storage/memory.ts'

const { crypto } = machine

/** Functions of `bytes` each, and a runner that finds their blocks with `fetch`. */
const running = async (count: number, bytes: number) => {
  const ports = { clock: new FakeClock(), crypto, storage: createMemoryStorage(), log: { event: () => {} } }
  const store = await openBlockStore(ports, { budgetBytes: 500 * MIB })
  const limits = { fuel: 1, memory_bytes: 0, output_bytes: 0 }
  const published: CID[] = []
  for (let i = 0; i < count; i++) {
    const bundle = { name: `f${i}`, code: new Uint8Array(bytes).fill(i + 1), exports: ['default'], effects: [], limits }
    published.push((await publishFunction(crypto, store, bundle)).cid)
  }
  const fetched: string[] = []
  const hold = { fetch: async (_: AbortSignal | undefined) => {} }
  const fetch: BlockExchange['fetch'] = async (cid, _, signal) => {
    fetched.push(cid.toString())
    await hold.fetch(signal)
    return (await store.get(cid)) as Uint8Array
  }
  const runner = createRunner({ fetch }, {} as SandboxPool)
  return { runner, published, fetched, hold }
}

describe('loading a function', () => {
  test('keeps it: its blocks are fetched once', async () => {
    const { runner, published, fetched } = await running(1, 100)
    const [first, again] = [await runner.load(published[0]!, []), await runner.load(published[0]!, [])]
    expect(again).toBe(first)
    expect(fetched).toHaveLength(2)
  })

  test('keeps no more than 64 MiB of code: those used last', async () => {
    const { runner, published, fetched } = await running(12, 7 * MIB)
    for (const cid of published) {
      await runner.load(cid, [])
      await runner.load(published[0]!, [])
    }
    fetched.length = 0
    await runner.load(published[0]!, [])
    await runner.load(published[11]!, [])
    expect(fetched).toEqual([])
    await runner.load(published[1]!, [])
    expect(fetched.length).toBeGreaterThan(0)
  })

  test('that one caller gives up does not fail for another', async () => {
    const { runner, published, hold } = await running(1, 100)
    const abort = new AbortController()
    hold.fetch = (signal) =>
      new Promise((resolve, reject) => {
        if (!signal) return resolve()
        signal.addEventListener('abort', () => reject(new MeshError('E_CANCELLED', 'no longer wanted')))
      })
    const given = runner.load(published[0]!, [], abort.signal)
    const other = runner.load(published[0]!, [])
    abort.abort()
    await expect(given).rejects.toMatchObject({ code: 'E_CANCELLED' })
    expect((await other).manifest.name).toBe('f0')
  })

  test('that failed is tried again', async () => {
    const { runner, published, hold } = await running(1, 100)
    hold.fetch = async () => {
      throw new MeshError('E_BLOCK_MISSING', 'nobody has it')
    }
    await expect(runner.load(published[0]!, [])).rejects.toMatchObject({ code: 'E_BLOCK_MISSING' })
    hold.fetch = async () => {}
    expect((await runner.load(published[0]!, [])).code).toHaveLength(100)
  })
})
