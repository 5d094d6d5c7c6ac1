/**
 * `node scripts/engine/keep.ts`, when a version is published: keeps its sandbox in `sandbox/releases/`, for the two
 * versions after it to carry. What is kept speaks the frames of `sandbox/frames.ts`, which therefore only ever get more.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build, type Plugin } from 'esbuild'
import { ENGINES } from '../../sandbox/engines.ts'
import { ENGINE_FILE } from './source.ts'

const RELEASES_MAX = 2
const WORKER = join(import.meta.dirname, '../../sandbox/worker.ts')
const FOLDER = join(import.meta.dirname, '../../sandbox/releases')

interface Kept {
  folder: string
  engines: readonly string[]
}

/** Keeps the sandbox of this checkout in `folder`, beside the one before. `plugins`: for tests, to change its sources. */
export const keepRelease = async (
  folder: string,
  engines: readonly string[] = ENGINES,
  wasm = ENGINE_FILE,
  plugins: Plugin[] = [],
): Promise<void> => {
  const index = join(folder, 'index.json')
  const before: Kept[] = existsSync(index) ? JSON.parse(readFileSync(index, 'utf8')) : []
  const name = (engines[0] as string).replace(/^.*:/, '').slice(0, 16)
  const into = join(folder, name)
  mkdirSync(into, { recursive: true })
  await build({
    ...{ entryPoints: [WORKER], outfile: join(into, 'worker.js'), bundle: true, plugins },
    ...{ format: 'esm', platform: 'neutral', mainFields: ['module', 'main'], target: 'es2024' },
    ...{ conditions: ['import'], charset: 'utf8', legalComments: 'inline', logLevel: 'warning' },
  })
  copyFileSync(wasm, join(into, 'quickjs.wasm'))
  const all = [{ folder: name, engines }, ...before.filter((kept) => kept.folder !== name)]
  for (const { folder: old } of all.slice(RELEASES_MAX)) rmSync(join(folder, old), { recursive: true })
  writeFileSync(index, `${JSON.stringify(all.slice(0, RELEASES_MAX), null, 2)}\n`)
}

if (import.meta.main) await keepRelease(FOLDER)
