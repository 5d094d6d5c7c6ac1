/** Peers of a world that carry this version's sandbox, an older one that is really another, or both. */
import { readFileSync } from 'node:fs'
import { createCrypto } from '../../node/crypto.ts'
import { ENGINES } from '../../sandbox/engines.ts'
import { serveSandbox } from '../../sandbox/worker.ts'
import { createReleasesHost, type SandboxRelease } from '../../simulations/sandbox-host.ts'
import type { PeerSetup } from '../../simulations/world.ts'
import { ENGINE_FILE } from '../engine/source.ts'
import { keepOlderRelease } from './older-release.ts'

const moduleIn = (file: URL | string) => new WebAssembly.Module(new Uint8Array(readFileSync(file)))

export const newest: SandboxRelease = { engines: ENGINES, wasm: moduleIn(ENGINE_FILE), serve: serveSandbox }

/** `remove`: once no world is on it any more. */
export const loadOlder = async (): Promise<{ older: SandboxRelease; remove(): void }> => {
  const { release, remove } = await keepOlderRelease()
  const { engines, worker, wasm } = release
  const { serveSandbox: serve } = await import(worker.href)
  return { older: { engines, wasm: moduleIn(wasm), serve }, remove }
}

/** The first is the newest that it has. */
export const carrying = (...releases: [SandboxRelease, ...SandboxRelease[]]): PeerSetup => ({
  engines: releases.flatMap(({ engines }) => engines),
  sandboxHost: (_, clock) => createReleasesHost(clock, createCrypto(), releases),
})
