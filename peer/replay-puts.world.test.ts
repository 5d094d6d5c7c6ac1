/** Invocations that put what is large, replayed: no file has a byte of it, and the run makes it again. */
import { describe, expect, test } from 'vitest'
import { largePutIn } from '../protocol/effects.ts'
import { FUEL_DEFAULT, MEMORY_BYTES_DEFAULT, MIB, OUTPUT_BYTES_MAX, STATE_BLOCK_BYTES } from '../protocol/limits.ts'
import { ReceiptFile } from '../protocol/records.ts'
import { splitBytes } from '../protocol/split.ts'
import { decodeValue, encodeValue } from '../protocol/values.ts'
import { ENGINES } from '../sandbox/engines.ts'
import { callerAnd, elsewhere, fileOf } from '../scripts/test/receipt-files.ts'
import { machine, publish, requestOf } from '../scripts/test/world.ts'
import type { World, WorldPeer } from '../simulations/world.ts'
import { ensureLevel } from './calls.ts'
import { openInvocation, openRecording, type Recording } from './replay.ts'

const { crypto } = machine
const BYTES = 0.75 * MIB
const ABOUT = {
  effects: ['get' as const, 'put' as const],
  env: [{ name: 'DB', kind: 'state' as const }],
  exports: ['default'],
}
/** Two large puts, and a read of the first's key behind it. */
const paint = (second = 2) => `export default async (fill, { DB }) => {
  DB.put('a', new Uint8Array(${BYTES}).fill(fill))
  const before = await DB.get('b')
  DB.put('b', new Uint8Array(${BYTES}).fill(${second} * fill))
  return before ? before.length : 0
}`
const blocksOf = (fill: number) =>
  splitBytes(crypto, encodeValue(new Uint8Array(BYTES).fill(fill)), STATE_BLOCK_BYTES).map(({ cid }) => cid.toString())

const home = (world: World) => world.peers[0] as WorldPeer
const wishOf = async (world: World) =>
  requestOf(await publish(home(world), paint(), ABOUT), 7, {
    ...{ level: ensureLevel('self'), grants: { DB: { state: 'album' } } },
  })

const recordings: Record<string, () => Promise<Recording>> = {
  'a receipt file': async () => {
    const world = await callerAnd('puts in a receipt', {})
    const file = await fileOf(world, await world.until(home(world).peer.call(await wishOf(world))))
    const bytes = ReceiptFile.encode(file)
    expect(bytes.length).toBeLessThan(STATE_BLOCK_BYTES)
    return openRecording(crypto, ENGINES, bytes)
  },
  'a durable invocation': async () => {
    const world = await callerAnd('puts of a durable invocation', {})
    const { durable } = home(world).peer
    const id = await world.until(durable.start(await wishOf(world)))
    await world.until(durable.wait(id))
    const bytes = await world.until(durable.recorded(id))
    expect(bytes.length).toBeLessThan(STATE_BLOCK_BYTES)
    return openInvocation(crypto, ENGINES, id, bytes)
  },
}

const changedTo = (code: string) => ({
  bundle: {
    ...{ name: 'changed', code: new TextEncoder().encode(code), ...ABOUT },
    limits: { fuel: FUEL_DEFAULT, memory_bytes: MEMORY_BYTES_DEFAULT, output_bytes: OUTPUT_BYTES_MAX },
  },
  exportName: 'default',
})

describe.each(Object.entries(recordings))('of %s', (_, recorded) => {
  test('the same comes again, and until a put it is shown with its blocks', async () => {
    const recording = await recorded()
    const { replayed } = elsewhere()
    const { gives, difference } = await replayed(recording)
    expect(difference).toBeUndefined()
    expect(gives?.result.ok && decodeValue(gives.result.value)).toBe(0)
    for (const [n, fill] of [
      [0, 7],
      [2, 14],
    ] as const) {
      const { stopped } = await replayed(recording, { until: n })
      expect(stopped?.request).toMatchObject({ n, kind: 'put' })
      expect(largePutIn('put', stopped!.request.arguments)?.blocks).toEqual(blocksOf(fill))
    }
    const { stopped } = await replayed(recording, { until: 1 })
    expect(stopped?.request).toMatchObject({ n: 1, after: 0, kind: 'get' })
  })

  test('changed code that puts the same is the same; that which puts other bytes differs at that put', async () => {
    const recording = await recorded()
    const { replayed } = elsewhere()
    const tidied = await replayed(recording, { changed: changedTo(`// tidied\n${paint()}`) })
    expect(tidied.difference).toBeUndefined()
    const { difference } = await replayed(recording, { changed: changedTo(paint(3)) })
    if (difference?.part !== 'request') throw new Error(`it differs in ${difference?.part}`)
    expect(difference.n).toBe(2)
    expect(difference.expected).toContain(blocksOf(14)[0])
    expect(difference.found).toContain(blocksOf(21)[0])
  })

  test('changed code that puts a few bytes in its place differs there', async () => {
    const code = paint().replace(`new Uint8Array(${BYTES}).fill(fill)`, 'fill')
    const { difference } = await elsewhere().replayed(await recorded(), { changed: changedTo(code) })
    expect(difference).toMatchObject({ part: 'request', n: 0 })
  })
})
