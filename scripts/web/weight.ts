/** What a page loads, by what it is for, in bytes as gzip -9 packs them: of the files that agents serve. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { GROUP_SOURCES, PRELUDE } from '../../sandbox/guest/built.ts'
import { ensureWeb, WEB_FOLDER } from './build.ts'

const KIB = 1024

/** What is aimed at, each at most. */
export const WEIGHT_AIMS = {
  /** Before a person agrees: the loader, and the document of the frame with its script and style. */
  loader_gz: 5 * KIB,
  /** All of the frame's second chunk: peer, network, control panel. No part of it is loaded later. */
  agent_gz: 200 * KIB,
  /** The binary of the engine, and the program of a sandbox's worker without the texts of `image_gz` and what comes later. */
  engine_gz: 260 * KIB,
  /** The texts in that program that run in the guest, before its function: prelude and web interfaces. */
  image_gz: 80 * KIB,
}

export type Weight = Record<keyof typeof WEIGHT_AIMS, number> & {
  /** What a page loads when the first WebAssembly comes, in none of the others: checker, WASI. No figure is aimed at. */
  wasm_tier_gz: number
}

const packed = (content: Uint8Array | string): number => gzipSync(content, { level: 9 }).length

export const weightOfWeb = async (): Promise<Weight> => {
  const { files, loader, frame } = await ensureWeb()
  const of = (kind: string) => {
    const name = Object.keys(files).find((one) => one.startsWith(kind))
    if (!name) throw new Error(`no ${kind} is served`)
    return packed(readFileSync(join(WEB_FOLDER, name)))
  }
  const image = packed([PRELUDE, ...Object.values(GROUP_SOURCES)].join('\n'))
  return {
    loader_gz: of(loader) + of(frame),
    agent_gz: of('wayside-agent-'),
    engine_gz: of('wayside-engine-') + of('wayside-worker-') - image,
    image_gz: image,
    wasm_tier_gz: of('wayside-tier-'),
  }
}
