/** A test of the code itself: the rules of the house, over every file of the checkout. `tidy/` shows that they catch. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { ambientViolations } from './tidy/ambient.ts'
import { filesUnder, readSources } from './tidy/checkout.ts'
import { testCommandViolations } from './tidy/commands.ts'
import { layerViolations, testCodeViolations, undeclaredViolations } from './tidy/layers.ts'
import { lengthViolations } from './tidy/length.ts'
import { layoutViolations, lockFileViolations, machinePathViolations, nameViolations } from './tidy/names.ts'
import { deadFiles, packageEntries } from './tidy/reach.ts'

const root = import.meta.dirname
const paths = filesUnder(root)
const sources = readSources(root, paths)
const textOf = (path: string) => readFileSync(join(root, path), 'utf8')
const manifest = JSON.parse(textOf('package.json'))

test('there is something to look at', () => {
  expect(paths).toContain('protocol/ports.ts')
  expect(sources.map(({ path }) => path)).toContain('protocol/ports.ts')
})

test('each folder imports only what the design lets it', () => {
  expect(sources.flatMap(layerViolations)).toEqual([])
})

test('only tests use test code', () => {
  expect(testCodeViolations(sources)).toEqual([])
})

/** What a package.json declares; nothing where there is none. */
const declaredBy = (path: string): string[] => {
  if (!existsSync(join(root, path))) return []
  const { dependencies, devDependencies, optionalDependencies, name } = JSON.parse(textOf(path))
  return [name, ...Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies })]
}

test('every imported package is declared, in the root or beside the file', () => {
  const everywhere = declaredBy('package.json')
  const undeclared = sources.flatMap((file) =>
    undeclaredViolations(file, new Set([...everywhere, ...declaredBy(join(dirname(file.path), 'package.json'))])),
  )
  expect(undeclared).toEqual([])
})

test('clock, timers, randomness and I/O reach the core through ports only', () => {
  expect(sources.flatMap(ambientViolations)).toEqual([])
})

test('files and functions are short', () => {
  expect(sources.flatMap(lengthViolations)).toEqual([])
})

test('no file is dead, and what package.json starts exists', () => {
  const entries = packageEntries(manifest)
  expect(entries.filter((path) => !existsSync(join(root, path)))).toEqual([])
  expect(deadFiles(sources, entries)).toEqual([])
})

test('files and folders have names that say something', () => {
  expect(paths.flatMap(nameViolations)).toEqual([])
})

test('no file holds a path of one machine', () => {
  expect(paths.flatMap((path) => machinePathViolations(path, textOf(path)))).toEqual([])
})

test('what a document has its reader test is there', () => {
  const tests = paths.filter((path) => path.endsWith('.test.ts'))
  const documents = paths.filter((path) => path.endsWith('.md'))
  expect(documents).toContain('docs/GUARANTEES.md')
  expect(documents.flatMap((path) => testCommandViolations(path, textOf(path), tests))).toEqual([])
})

test('no lock file names a registry', () => {
  const locks = paths.filter((path) => path.endsWith('package-lock.json'))
  expect(locks).toContain('package-lock.json')
  expect(locks.flatMap((path) => lockFileViolations(path, textOf(path)))).toEqual([])
})

test('every folder of the layout says what it is', () => {
  expect(layoutViolations(paths)).toEqual([])
})
