/** Where things are: in the checkout, and in what is published. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export const ROOT = join(import.meta.dirname, '../..')

interface RootManifest {
  name: string
  version: string
  description: string
  license: string
  engines: Record<string, string>
  bin: Record<string, string>
  /** Entry points by what is imported: paths of sources from the root, by condition where they differ. */
  exports: Record<string, string | Record<string, string>>
  devDependencies: Record<string, string>
}

export const rootManifest = (): RootManifest => JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))

/** Packages that cannot be bundled: each brings a native binary. They are what the published package depends on. */
export const NATIVE_PACKAGES = ['level', 'esbuild']

/** Entry points, as paths from the root, that run in pages, and on Node. */
export const entryPoints = (): { pages: string[]; node: string[] } => {
  const all = Object.values(rootManifest().exports).flatMap((entry) =>
    Object.values(typeof entry === 'string' ? [entry] : entry),
  )
  const paths = all.map((path) => path.replace(/^\.\//, ''))
  const [pages = [], node = []] = [true, false].map((is) => paths.filter((path) => isForPages(path) === is))
  return { pages, node }
}

export const isForPages = (source: string): boolean => source.startsWith('browser-agent/')

/** In dist/, the code for pages; the rest of dist/ is for Node. */
export const PAGES_FOLDER = 'browser'

/** Every source that starts a file of its own lies flat in dist/, so that `./` leads from each to each. */
export const outputName = (source: string): string => source.replace(/\.ts$/, '').replaceAll('/', '-')
