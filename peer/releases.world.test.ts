import { beforeAll, describe, expect, test } from 'vitest'
import { ENGINES } from '../sandbox/engines.ts'
import { serveSandbox } from '../sandbox/worker.ts'
import { DEPTH, keepOlderRelease } from '../scripts/test/older-release.ts'
import { machine, publish, requestOf, returned, worldFor } from '../scripts/test/world.ts'
import { createReleasesHost, type SandboxRelease } from '../simulations/sandbox-host.ts'
import type { PeerSetup } from '../simulations/world.ts'

const newest: SandboxRelease = { engines: ENGINES, wasm: machine.wasm, serve: serveSandbox }
let older: SandboxRelease

beforeAll(async () => {
  const { release, remove } = await keepOlderRelease()
  const { engines, worker, wasm } = release
  const { serveSandbox: serve } = await import(worker.href)
  const bytes = new Uint8Array(await (await import('node:fs/promises')).readFile(wasm))
  older = { engines, wasm: new WebAssembly.Module(bytes), serve }
  return remove
})

const carrying = (...releases: [SandboxRelease, ...SandboxRelease[]]): PeerSetup => ({
  engines: releases.flatMap(({ engines }) => engines),
  sandboxHost: (_, clock) => createReleasesHost(clock, machine.crypto, releases),
})
const lendsNothing = { policy: { slots: 0 } }

describe('in a mesh of two versions', () => {
  test('a task is done by those that carry its engine, the newest of its home, at any number of calls', async () => {
    const setups = [{ ...carrying(newest, older), ...lendsNothing }, carrying(older), carrying(newest)]
    const world = await worldFor('mixed', { peers: 3, setup: (i) => setups[i] as PeerSetup })
    const [home, , peer] = world.peers
    const depth = await publish(home!, DEPTH, { effects: ['call'] })
    for (let i = 0; i < 5; i++) {
      const result = await world.until(home!.peer.call(requestOf(depth, i, { level: { level: 'self' } })))
      expect(returned(result)).toBeGreaterThanOrEqual(1000)
      expect(result.performed[0]!.executor).toBe(peer!.peerId)
    }
  })

  test('a newer agent does the tasks of an older home on its engine, and both agree on the outcome', async () => {
    const setups = [carrying(older), carrying(newest, older)]
    const world = await worldFor('older home', { peers: 2, setup: (i) => setups[i] as PeerSetup })
    const [home, peer] = world.peers
    const depth = await publish(home!, DEPTH, { effects: ['call'] })
    // The home runs it again itself, on its own engine.
    const result = await world.until(home!.peer.call(requestOf(depth, 1, { level: { level: 'self' } })))
    expect(returned(result)).toBeLessThan(300)
    expect(result.performed[0]!.executor).toBe(peer!.peerId)
  })

  test('nobody has the engine: the home runs it, or it is E_ENGINE_UNAVAILABLE', async () => {
    const setups = [carrying(older), carrying(newest)]
    const world = await worldFor('nobody', { peers: 2, setup: (i) => setups[i] as PeerSetup })
    const home = world.peers[0]!
    const depth = await publish(home, DEPTH, { effects: ['call'] })
    const alone = await world.until(home.peer.call(requestOf(depth, 1, { level: { level: 'self' }, remote: false })))
    expect(returned(alone)).toBeLessThan(300)
    const insists = home.peer.call(requestOf(depth, 2, { level: { level: 'self' } }))
    await expect(world.until(insists)).rejects.toMatchObject({ code: 'E_ENGINE_UNAVAILABLE' })
  })
})
