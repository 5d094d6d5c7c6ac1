/** WebAssembly functions on a mesh: liars are found out, receipts are checked, and nobody runs what could run for nothing. */
import { beforeAll, expect, test } from 'vitest'
import { MIB } from '../protocol/limits.ts'
import { decodeValue } from '../protocol/values.ts'
import { metered } from '../sandbox/program/testing/programs.ts'
import { callerAnd, fileOf, liar, proofOf, verdictOf, verify } from '../scripts/test/receipt-files.ts'
import { requestOf } from '../scripts/test/world.ts'
import { compileWasi } from '../sdk/bundle/wasm/testing/compile.ts'
import type { World, WorldPeer } from '../simulations/world.ts'
import { hostAnd, join } from './attacked-host.ts'
import { type CallResult, ensureLevel } from './calls.ts'

const REVERSE = `
#include <stdio.h>
int main(void) { char text[256]; int n = fread(text, 1, 256, stdin); while (n--) putchar(text[n]); }
`

let plain: Uint8Array
let code: Uint8Array
beforeAll(async () => {
  plain = compileWasi(REVERSE)
  code = await metered(plain)
})

const publish = ({ peer }: WorldPeer, bytes: Uint8Array) =>
  peer.publish({
    ...{ name: 'reverse', tier: 'webassembly', code: bytes, exports: ['default'], effects: [] },
    limits: { fuel: 1_000_000, memory_bytes: 64 * MIB, output_bytes: MIB },
  })

const call = async (world: World, level: string, bytes = code): Promise<CallResult> => {
  const [caller] = world.peers as [WorldPeer]
  const published = await publish(caller, bytes)
  return world.until(caller.peer.call(requestOf(published, 'abc', { level: ensureLevel(level) })))
}

const textOf = ({ outcome: { result } }: CallResult): unknown =>
  result.ok ? new TextDecoder().decode(decodeValue(result.value) as Uint8Array) : result.code

test.each(['none', 'audit', 'self', 'quorum:2'])('at %s the answer is that of the program', async (level) => {
  const world = await callerAnd(`program ${level}`, {}, {}, {})
  const result = await call(world, level)
  expect(textOf(result)).toBe('"cba"')
  const checked = await verify(await fileOf(world, result))
  expect(checked.map(verdictOf)).toEqual(result.performed.map(() => 'right'))
  expect(checked[0]!.task!.environment.engine).toMatch(/^wasm:/)
})

test('a liar is convicted by its proof alone', async () => {
  const world = await callerAnd('program liar', liar)
  const result = await call(world, 'self')
  expect(textOf(result)).toBe('"cba"')
  const [checked] = await verify(await proofOf(world, result.disputes[0]!))
  expect(checked).toMatchObject({ verdict: 'wrong', signer: world.peers[1]!.peerId })
})

test('a module without charges has the same outcome everywhere: it is refused', async () => {
  const world = await callerAnd('program unmetered', {}, {}, {})
  const result = await call(world, 'quorum:2', plain)
  expect(textOf(result)).toBe('E_MODULE_REFUSED')
  expect(new Set(result.performed.map(({ outcomeCid }) => outcomeCid.toString())).size).toBe(1)
  expect(result.outcome.fuel).toBe(0)
})

test('a task that names the engine of another tier is not run: nobody could compare what comes out', async () => {
  const { world, host, stillServes } = await hostAnd('program tier')
  const program = await publish(host, code)
  const peer = await join(world, host)
  const invoke = await peer.invoke(program, ['abc'])
  expect(invoke.task.environment.engine).toMatch(/^quickjs:/)
  await peer.say(invoke)
  expect(await peer.next('failed')).toMatchObject({ ids: [1], code: 'E_ENGINE_UNAVAILABLE' })
  await stillServes()
})
