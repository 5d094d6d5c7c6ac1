import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Metafile } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bundleCode } from './bundle-code.ts'

let folder = ''
let metafile: Metafile

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'wayside-bundle-'))
  metafile = await bundleCode(['node/cli/main.ts', 'node/sdk.ts'], folder)
})

afterAll(() => rmSync(folder, { recursive: true }))

/** The sources that are loaded as soon as `source` is imported. */
const loadedWith = (source: string): string[] => {
  const [start] = Object.entries(metafile.outputs).find(([, { entryPoint }]) => entryPoint === source) ?? []
  const open = [start!]
  const seen = new Set<string>()
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (seen.has(path)) continue
    seen.add(path)
    for (const { kind, path: target, external } of metafile.outputs[path]!.imports)
      if (kind === 'import-statement' && !external) open.push(target)
  }
  return [...seen].flatMap((path) => Object.keys(metafile.outputs[path]!.inputs))
}

const isHeavy = (source: string) => /node_modules\/(@?libp2p|@chainsafe)\//.test(source)

describe('the network is loaded by who needs it', () => {
  test.each(['node/cli/main.ts', 'node/cli/owner.ts', 'node/cli/run.ts', 'node/cli/logs.ts', 'node/sdk.ts'])(
    'not with %s',
    (source) => {
      const sources = loadedWith(source)
      expect(sources).toContain(source)
      expect(sources.filter(isHeavy)).toEqual([])
    },
  )

  test('but with node/network.ts', () => {
    expect(loadedWith('node/network.ts').filter(isHeavy).length).toBeGreaterThan(10)
  })
})

test('a process that is started by the URL of its source is bundled, beside the binary that it reads', () => {
  const files = readdirSync(folder)
  expect(files).toContain('node-sandbox-process.js')
  expect(files).toContain('quickjs.wasm')
})
