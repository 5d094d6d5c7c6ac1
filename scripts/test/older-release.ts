/** A release of the sandbox that is really another one: another binary, built from the same package, and another glue. */
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Plugin } from 'esbuild'
import { releasesIn, type SandboxRelease } from '../../node/sandbox-releases.ts'
import { engineId } from '../../sandbox/engine-id.ts'
import { buildEngine, UNPADDED } from '../engine/build.ts'
import { keepRelease } from '../engine/keep.ts'

/** It gives a guest a quarter of the stack: what of its constants is replaced, and by what. */
export const SHALLOW = ['STACK_BYTES_MAX = 176 * KIB', 'STACK_BYTES_MAX = 44 * KIB'] as const

const shallow: Plugin = {
  name: 'shallow',
  setup: ({ onLoad }) =>
    onLoad({ filter: /sandbox[\\/]constants\.ts$/ }, ({ path }) => {
      const source = readFileSync(path, 'utf8')
      const contents = source.replace(...SHALLOW)
      if (contents === source) throw new Error(`${path} has another stack`)
      return { contents, loader: 'ts' }
    }),
}

/** Keeps one in a folder of its own, until it is removed. */
export const keepOlderRelease = async (): Promise<{ release: SandboxRelease; folder: string; remove(): void }> => {
  const folder = mkdtempSync(join(tmpdir(), 'wayside-releases-'))
  const wasm = join(folder, 'older.wasm')
  const bytes = buildEngine(UNPADDED)
  writeFileSync(wasm, bytes)
  const id = engineId((all) => createHash('sha256').update(all).digest(), bytes)
  await keepRelease(folder, [id, `wasm:${'0'.repeat(64)}`], wasm, [shallow])
  const release = releasesIn(pathToFileURL(`${folder}/`))[0] as SandboxRelease
  return { release, folder, remove: () => rmSync(folder, { recursive: true }) }
}

/** Returns how many calls deep it gets: 1,020 on this version's engine, some 250 on the older. */
export const DEPTH = `export default async (x, env, ctx) => {
  if (x === 'ask') await ctx.call('#default', 1)
  let depth = 0
  const deeper = () => { depth++; deeper() }
  try { deeper() } catch { return depth }
}`
