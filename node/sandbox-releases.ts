/**
 * The releases of the sandbox that this agent carries: its own, and up to two before it, so that an invocation stays on
 * the engine that it began with. They come with the package, never from a peer (`scripts/engine/keep.ts` keeps them).
 */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ENGINES } from '../sandbox/engines.ts'

export interface SandboxRelease {
  engines: readonly string[]
  /** A module that exports `serveSandbox`, and what it runs. */
  worker: URL
  wasm: URL
}

const OWN: SandboxRelease = {
  engines: ENGINES,
  worker: new URL('../sandbox/worker.ts', import.meta.url),
  wasm: new URL('../sandbox/quickjs.wasm', import.meta.url),
}

/** What `folder` holds, the newest first: `index.json` lists a folder with its engines for each. */
export const releasesIn = (folder: URL): SandboxRelease[] => {
  const index = new URL('index.json', folder)
  if (!existsSync(fileURLToPath(index))) return []
  const kept = JSON.parse(readFileSync(index, 'utf8')) as { folder: string; engines: string[] }[]
  return kept.map(({ folder: name, engines }) => ({
    engines,
    worker: new URL(`${name}/worker.js`, folder),
    wasm: new URL(`${name}/quickjs.wasm`, folder),
  }))
}

/** In the checkout, and beside what is published. */
const FOLDER = import.meta.url.endsWith('.ts') ? '../sandbox/releases/' : './releases/'

/** The newest first. */
export const RELEASES: readonly [SandboxRelease, ...SandboxRelease[]] = [
  OWN,
  ...releasesIn(new URL(FOLDER, import.meta.url)),
]

export const CARRIED_ENGINES: readonly string[] = RELEASES.flatMap(({ engines }) => engines)
