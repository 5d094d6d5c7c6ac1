/** Serves a page that runs a bundle of our sources, with what a page's peer loads by itself. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { FOR_PAGES } from '../web/for-pages.ts'
import { HTML, JAVASCRIPT, type PageFile, servePage, WASM } from './page-server.ts'

const WORKER = new URL('../../browser-agent/worker.ts', import.meta.url)
const TIER = new URL('../../sandbox/program/program.ts', import.meta.url)
const ENGINE = new URL('../../sandbox/quickjs.wasm', import.meta.url)

/** `entry` with all that it imports, as one module for a page or a worker. */
export const bundled = async (entry: URL): Promise<PageFile> => {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(entry)],
    bundle: true,
    write: false,
    format: 'esm',
    // As what is served to pages.
    ...FOR_PAGES,
    logLevel: 'error',
  })
  return { type: JAVASCRIPT, body: (outputFiles[0] as { text: string }).text }
}

const PAGE = `<!doctype html><title>Wayside</title><link rel="icon" href="data:,">
<script type="module" src="/page.js"></script>`

/** The page of `entry` at `/`; `/worker.js`, `/tier.js` and `/engine.wasm` beside it. */
export const entryFiles = async (entry: URL): Promise<Record<string, PageFile>> => {
  const [page, worker, tier] = await Promise.all([entry, WORKER, TIER].map(bundled))
  return {
    '/': { type: HTML, body: PAGE },
    '/page.js': page!,
    '/worker.js': worker!,
    '/tier.js': tier!,
    '/engine.wasm': { type: WASM, body: readFileSync(ENGINE) },
  }
}

/** The same, and `files` besides. */
export const serveEntry = async (
  entry: URL,
  files: Record<string, PageFile> = {},
): Promise<{ url: string; close(): void }> => servePage({ ...(await entryFiles(entry)), ...files })
