import { describe, expect, test } from 'vitest'
import { layerViolations, testCodeViolations, undeclaredViolations } from './layers.ts'
import { parseSource } from './syntax-tree.ts'

const complaints = (path: string, text: string) => layerViolations(parseSource(path, text))

describe('who may import whom', () => {
  test.each([
    ['protocol/x.ts', "import { y } from '../peer/y.ts'", 'protocol/ may not import peer/'],
    ['protocol/x.ts', "import fs from 'node:fs'", 'protocol/ may not import the package node:fs'],
    ['protocol/x.ts', "import fs from 'fs'", 'protocol/ may not import the package fs'],
    ['sandbox/x.ts', "export { y } from '../registry/y.ts'", 'sandbox/ may not import registry/'],
    ['registry/x.ts', "export * from '../sandbox/y.ts'", 'registry/ may not import sandbox/'],
    ['peer/x.ts', "import { tcp } from '@libp2p/tcp'", 'peer/ may not import the package @libp2p/tcp'],
    ['peer/storage/x.ts', "import { Level } from 'level'", 'peer/ may not import the package level'],
    ['peer/network/x.ts', "import { Level } from 'level'", 'peer/network/ may not import the package level'],
    ['peer/x.ts', "const y = await import('../node/y.ts')", 'peer/ may not import node/'],
    ['peer/x.ts', "export type Y = import('../node/y.ts').Y", 'peer/ may not import node/'],
    ['peer/x.ts', "new URL('../node/worker.ts', import.meta.url)", 'peer/ may not import node/'],
    ['peer/x.ts', "const y = require('level')", 'peer/ may not import the package level'],
    ['peer/x.ts', "import '../vitest.config.ts'", 'peer/ may not import vitest.config.ts, which is in no layer'],
    ['sdk/x.ts', "import { run } from '../sandbox/run.ts'", 'sdk/ may not import sandbox/'],
    ['sdk/x.ts', "import { bundle } from './bundle/index.ts'", 'sdk/ may not import sdk/bundle/'],
    ['sdk/x.ts', "import { build } from 'esbuild'", 'sdk/ may not import the package esbuild'],
    ['node/x.ts', "import type { Y } from '../browser-agent/y.ts'", 'node/ may not import browser-agent/'],
    ['node/x.ts', "import { y } from '../simulations/y.ts'", 'node/ may not import simulations/'],
    ['browser-agent/x.ts', "import { y } from '../sdk/bundle/y.ts'", 'browser-agent/ may not import sdk/bundle/'],
    ['browser-agent/x.ts', "import fs from 'node:fs'", 'browser-agent/ may not import the package node:fs'],
    ['simulations/x.ts', "import { y } from '../node/y.ts'", 'simulations/ may not import node/'],
  ])('%s: %s', (path, text, complaint) => {
    expect(complaints(path, `\n${text}\n`)).toEqual([`${path}:2: ${complaint}`])
  })

  test.each([
    ['protocol/x.ts', "import { CID } from 'multiformats/cid'"],
    ['protocol/x.ts', "import { y } from './y.ts'"],
    ['peer/x.ts', "import { y } from '../sandbox/y.ts'"],
    ['peer/network/x.ts', "import { tcp } from '@libp2p/tcp'"],
    ['sdk/bundle/x.ts', "import { build } from 'esbuild'"],
    ['node/x.ts', "import { readFile } from 'node:fs/promises'"],
    ['node/x.ts', "import manifest from '../package.json' with { type: 'json' }"],
    ['bench/x.ts', "const here = new URL('.', import.meta.url), data = new URL('../a.json', import.meta.url)"],
    ['bench/x.ts', "import { y } from '../browser-agent/y.ts'"],
    ['scripts/x.ts', "import { projects } from '../vitest.config.ts'"],
    ['peer/x.test.ts', "import { y } from '../node/y.ts'"],
    ['peer/storage/conformance.ts', "import { test } from 'vitest'\nimport { y } from '../../simulations/y.ts'"],
    ['peer/x.ts', "const text = 'from node:fs import'; // import fs from 'node:fs'"],
  ])('%s: %s is fine', (path, text) => {
    expect(complaints(path, text)).toEqual([])
  })
})

test('code that is no test may not use test code', () => {
  const suite = parseSource('peer/conformance.ts', "import { test } from 'vitest'")
  const fixture = parseSource('peer/testing/fixture.ts', "import '../conformance.ts'")
  const product = parseSource('peer/product.ts', "\nimport './conformance.ts'\nimport './testing/fixture.ts'")
  const itsTest = parseSource('peer/product.test.ts', "import './conformance.ts'")
  expect(testCodeViolations([suite, fixture, product, itsTest])).toEqual([
    'peer/product.ts:2: imports peer/conformance.ts, which only tests may use',
    'peer/product.ts:3: imports peer/testing/fixture.ts, which only tests may use',
  ])
})

test('an imported package must be declared', () => {
  const declared = new Set(['multiformats', '@libp2p/tcp'])
  const text =
    "import 'multiformats/cid'\nimport '@libp2p/tcp'\nimport 'node:fs'\nimport '@libp2p/utils/x'\nimport 'it-all'"
  expect(undeclaredViolations(parseSource('node/x.ts', text), declared)).toEqual([
    'node/x.ts:4: @libp2p/utils is not in package.json',
    'node/x.ts:5: it-all is not in package.json',
  ])
})
