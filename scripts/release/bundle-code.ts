/** All that runs, bundled with its packages: entry points, and chunks that they share or load when needed. */
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, posix, relative } from 'node:path'
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild'
import { FOR_PAGES } from '../web/for-pages.ts'
import { NATIVE_PACKAGES, outputName, ROOT, rootManifest } from './layout.ts'

/** A process or worker is started by the URL of its source; in a bundle by that of its output. */
const SOURCE_URL = /new URL\('(\.[^']*\.ts)', import\.meta\.url\)/g
/** The engine's binary is copied beside what reads it. */
const BINARY_URL = /new URL\('(\.[^']*\.wasm)', import\.meta\.url\)/g

/** Sources that are started by their URL, and binaries that are read by theirs, as met while bundling. */
interface Met {
  sources: Set<string>
  binaries: Set<string>
}

const rewriteUrls = (met: Met): Plugin => ({
  name: 'urls',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      if (path.includes('node_modules')) return undefined
      const text = readFileSync(path, 'utf8')
      const contents = text
        .replace(SOURCE_URL, (written, target: string) => {
          const source = posix.join(dirname(relative(ROOT, path)), target)
          if (!existsSync(join(ROOT, source))) return written
          met.sources.add(source)
          return `new URL('./${outputName(source)}.js', import.meta.url)`
        })
        .replace(BINARY_URL, (_, target: string) => {
          met.binaries.add(join(dirname(path), target))
          return `new URL('./${basename(target)}', import.meta.url)`
        })
      return { contents, loader: 'ts' }
    })
    // Of the root's manifest, what is published needs the version alone.
    onLoad({ filter: /[\\/]package\.json$/ }, ({ path }) =>
      path === join(ROOT, 'package.json')
        ? { contents: JSON.stringify({ version: rootManifest().version }), loader: 'json' }
        : undefined,
    )
  },
})

const NODE: BuildOptions = { platform: 'node', target: 'node22.18', splitting: true, external: NATIVE_PACKAGES }
const PAGE: BuildOptions = { ...FOR_PAGES, minify: true }

const bundleOnce = async (
  sources: readonly string[],
  outdir: string,
  met: Met,
  host: BuildOptions,
): Promise<Metafile> => {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: sources.map((source) => ({ in: source, out: outputName(source) })),
    outdir,
    bundle: true,
    chunkNames: 'chunk-[hash]',
    format: 'esm',
    ...host,
    plugins: [rewriteUrls(met), ...(host.plugins ?? [])],
    charset: 'utf8',
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  })
  return metafile as Metafile
}

/**
 * Bundles `entries` (sources from the root) and every source that they start by its URL into the folder `outdir`, and
 * copies the binaries that they read. Returns esbuild's account of what went where.
 */
export const bundleCode = async (entries: readonly string[], outdir: string): Promise<Metafile> => {
  const met: Met = { sources: new Set(entries), binaries: new Set() }
  mkdirSync(outdir, { recursive: true })
  for (;;) {
    const sources = [...met.sources]
    const metafile = await bundleOnce(sources, outdir, met, NODE)
    if (met.sources.size > sources.length) continue
    for (const file of met.binaries) copyFileSync(file, join(outdir, basename(file)))
    return metafile
  }
}

/**
 * Bundles `entries` for pages into the folder `outdir`; `known` replaces constants that they declare. What they start by its URL is whole in one file, and lies beside
 * them as does what they read: whoever bundles a page with them copies these.
 */
export const bundleForPages = async (
  entries: readonly string[],
  outdir: string,
  known: Record<string, string>,
): Promise<Metafile[]> => {
  const met: Met = { sources: new Set(), binaries: new Set() }
  mkdirSync(outdir, { recursive: true })
  const define = Object.fromEntries(Object.entries(known).map(([name, value]) => [name, JSON.stringify(value)]))
  const shared = await bundleOnce(entries, outdir, met, { ...PAGE, splitting: true, define })
  const started = await bundleOnce([...met.sources], outdir, met, PAGE)
  for (const file of met.binaries) copyFileSync(file, join(outdir, basename(file)))
  return [shared, started]
}
