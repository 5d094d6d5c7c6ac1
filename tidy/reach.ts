/** No dead files: every source file is reached from something that starts. */
import { posix } from 'node:path'
import { importsOf } from './imports.ts'
import { type SourceFile, walk } from './syntax-tree.ts'

const SOURCE = /[\w-]\.(ts|js|cjs|mjs)$/

/** What starts by its place: tests, the tools' configurations, each bench and each example. */
const STARTS = /\.test\.ts$|^[\w.-]+\.config\.ts$|^bench\/[^/]+\.ts$|^examples\//

const stringsIn = (value: unknown): string[] =>
  typeof value === 'string'
    ? [value]
    : value && typeof value === 'object'
      ? Object.values(value).flatMap(stringsIn)
      : []

/** The files that package.json starts: its exports, its commands and its scripts. */
export const packageEntries = ({ exports, bin, scripts }: Record<string, unknown>): string[] => {
  const words = [...stringsIn(exports), ...stringsIn(bin), ...stringsIn(scripts).flatMap((line) => line.split(' '))]
  return [...new Set(words.filter((word) => SOURCE.test(word)).map((word) => posix.normalize(word)))]
}

/** What a file imports or names: a path in a string, from its own folder or from the root, is how a process is started. */
const referencesOf = (file: SourceFile): string[] => {
  const found = importsOf(file).flatMap(({ target }) => target ?? [])
  walk(file.tree, ({ type, value }) => {
    if (type === 'Literal' && typeof value === 'string' && SOURCE.test(value))
      found.push(posix.normalize(value), posix.join(posix.dirname(file.path), value))
  })
  return found
}

export const deadFiles = (files: readonly SourceFile[], entries: readonly string[]): string[] => {
  const byPath = new Map(files.map((file) => [file.path, file]))
  const reached = new Set<string>()
  const open = [...entries, ...[...byPath.keys()].filter((path) => STARTS.test(path))]
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    const file = byPath.get(path)
    if (file === undefined || reached.has(path)) continue
    reached.add(path)
    open.push(...referencesOf(file))
  }
  return [...byPath.keys()].filter((path) => !reached.has(path)).map((path) => `${path}: nothing uses this file`)
}
