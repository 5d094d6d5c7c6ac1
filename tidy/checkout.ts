/** What is in the checkout: its text files, and its sources, parsed. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { parseSource, type SourceFile } from './syntax-tree.ts'

/** `releases`: earlier versions of the sandbox, as they were published. */
const NOT_OURS = /^(node_modules|dist|demo-out|releases|\.git|\.setup-lock|\.vitest)$/

/** Paths from `root`, with slashes, in order. */
export const filesUnder = (root: string, folder = root): string[] =>
  readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !NOT_OURS.test(name))
    .flatMap((entry) => {
      const path = join(folder, entry.name)
      return entry.isDirectory() ? filesUnder(root, path) : [relative(root, path).replaceAll('\\', '/')]
    })
    .sort()

export const readSources = (root: string, paths: readonly string[]): SourceFile[] =>
  paths
    .filter((path) => /\.[cm]?[jt]s$/.test(path))
    .map((path) => parseSource(path, readFileSync(join(root, path), 'utf8')))
