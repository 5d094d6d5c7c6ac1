/**
 * What a node agent serves to pages: the loader, the frame, and what the frame loads once a person has agreed. Names and
 * bytes depend on the sources alone, so that every agent of a version serves the same files.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build, type Metafile, type Plugin } from 'esbuild'
import { minifySync } from 'rolldown/utils'
import { FOR_PAGES } from './for-pages.ts'

const ROOT = join(import.meta.dirname, '../..')
/** Where a checkout keeps them. */
export const WEB_FOLDER = join(ROOT, 'browser-agent/dist')
const MANIFEST = 'manifest.json'
/** What it was made of: the paths of the sources from the root, and a hash of what they held. */
const SOURCES = 'sources.json'

const MAKERS = ['scripts/web/build.ts', 'scripts/web/for-pages.ts', 'package-lock.json']

const JAVASCRIPT = 'text/javascript; charset=utf-8'

export interface WebFile {
  /** Its media type. */
  type: string
  /** Of its bytes, in base64. */
  sha384: string
  /** To be sent with it, beside those that all of them have. */
  headers: Record<string, string>
}

export interface WebManifest {
  /** Names among `files`. */
  loader: string
  frame: string
  /** The loader's, as the attribute of a tag wants it. */
  integrity: string
  /** Hashes of what the frame loads later: `pins` in its fragment. */
  pins: string
  files: Record<string, WebFile>
}

interface Built {
  files: Record<string, WebFile & { bytes: Uint8Array }>
  metafile: Metafile
}

const sha384 = (bytes: Uint8Array | string) => createHash('sha384').update(bytes).digest()

/** In base64. As strong as a name, and a third shorter where it cannot be packed. */
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('base64')

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

/** Adds a file that is named after its bytes; returns its name. */
const add = (built: Built, kind: string, type: string, bytes: Uint8Array, headers = {}): string => {
  const hash = sha384(bytes)
  const [name, extension] = kind.split('.')
  const path = `${name}-${hash.toString('hex').slice(0, 12)}.${extension}`
  built.files[path] = { type, sha384: hash.toString('base64'), headers, bytes }
  return path
}

/** Names by how often they stand there, which packs better than esbuild's. */
const shortest = (source: string, text: string): string => {
  const { code, errors } = minifySync(source, text, {
    module: true,
    compress: { target: 'es2022' },
    mangle: { toplevel: true },
  })
  if (errors.length > 0) throw new Error(`${source} is not made shorter: ${errors[0]!.message}`)
  return code
}

/** Of the table of errors a page asks what may be tried again, and shows what an error itself says. */
const withoutMeanings: Plugin = {
  name: 'without-meanings',
  setup: ({ onLoad }) =>
    onLoad({ filter: /protocol\/errors\.ts$/ }, ({ path }) => {
      const contents = readFileSync(path, 'utf8').replace(
        /entry\('[^']*', '\w+', ('\w+'), \d+\)/g,
        "entry('', '', $1, 0)",
      )
      return { contents, loader: 'ts' }
    }),
}

/** Bundles one source into one text. `known` replaces the constants that it declares. */
const bundle = async (built: Built, source: string, known: Record<string, unknown> = {}): Promise<Uint8Array> => {
  const { outputFiles, metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: [source],
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    ...FOR_PAGES,
    plugins: [...FOR_PAGES.plugins, withoutMeanings],
    define: Object.fromEntries(Object.entries(known).map(([name, value]) => [name, JSON.stringify(value)])),
    charset: 'utf8',
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  })
  Object.assign(built.metafile.inputs, metafile.inputs)
  built.metafile.outputs[source] = Object.values(metafile.outputs)[0]!
  // Without the end of its line, as it stands between tags.
  const text = outputFiles[0]!.text.trimEnd()
  return new TextEncoder().encode(source.endsWith('.ts') ? shortest(source, text) : text)
}

const cspHash = (bytes: Uint8Array): string => `'sha384-${sha384(bytes).toString('base64')}'`

/** Of scripts, the one may run, told by its hash. What it loads, it checks itself and runs from memory. */
const framePolicy = (boot: Uint8Array, style: Uint8Array): string =>
  [
    "default-src 'none'",
    `script-src ${cspHash(boot)} 'wasm-unsafe-eval' blob:`,
    `style-src ${cspHash(style)}`,
    "connect-src 'self' blob: ws: wss:",
    'worker-src blob:',
    "base-uri 'none'",
    "form-action 'none'",
    'frame-ancestors *',
  ].join('; ')

const FRAME_HEADERS = {
  'referrer-policy': 'no-referrer',
  // A site that is cross-origin isolated may have it too.
  'cross-origin-embedder-policy': 'require-corp',
}

const buildAll = async (): Promise<Built & Pick<WebManifest, 'loader' | 'frame' | 'pins'>> => {
  const built: Built = { files: {}, metafile: { inputs: {}, outputs: {} } }
  const engine = readFileSync(join(ROOT, 'sandbox/quickjs.wasm'))
  built.metafile.inputs['sandbox/quickjs.wasm'] = { bytes: engine.length, imports: [] }
  const PANEL_STYLE = textOf(await bundle(built, 'browser-agent/frame/panel.css'))
  const CHUNKS = [
    add(built, 'wayside-agent.js', JAVASCRIPT, await bundle(built, 'browser-agent/frame/lending.ts', { PANEL_STYLE })),
    add(built, 'wayside-worker.js', JAVASCRIPT, await bundle(built, 'browser-agent/worker.ts')),
    add(built, 'wayside-engine.wasm', 'application/wasm', engine),
    add(built, 'wayside-tier.js', JAVASCRIPT, await bundle(built, 'sandbox/program/program.ts')),
  ]
  const PINNED = CHUNKS.map((name) => sha256(built.files[name]!.bytes)).join()
  const boot = await bundle(built, 'browser-agent/frame/boot.ts', { CHUNKS, PINNED })
  const style = await bundle(built, 'browser-agent/frame/control.css')
  const frame = add(built, 'wayside-frame.html', 'text/html; charset=utf-8', frameDocument(built, boot, style), {
    ...FRAME_HEADERS,
    'content-security-policy': framePolicy(boot, style),
  })
  const known = elementConstants({ frame, pins: PINNED, files: built.files })
  const loader = add(built, 'wayside.js', JAVASCRIPT, await bundle(built, 'browser-agent/element/loader.ts', known))
  return { ...built, loader, frame, pins: PINNED }
}

/** What the element is to know of a build: the constants that it declares. */
export const elementConstants = ({ frame, pins, files }: Pick<WebManifest, 'frame' | 'pins' | 'files'>) => {
  const [SCRIPT_POLICY] = /script-src [^;]+/.exec(files[frame]!.headers['content-security-policy']!)!
  return { FRAME: frame, SCRIPT_POLICY, PINNED: pins }
}

const FRAME_PAGE = 'browser-agent/frame/frame.html'

const frameDocument = (built: Built, boot: Uint8Array, style: Uint8Array): Uint8Array => {
  const text = readFileSync(join(ROOT, FRAME_PAGE), 'utf8')
  built.metafile.inputs[FRAME_PAGE] = { bytes: text.length, imports: [] }
  const page = text
    .replace(/>\s+</g, '><')
    .trim()
    // What HTML does not need: tags that begin and end by themselves, quotes around a plain value, and what is so anyway.
    .replace(/ (type="button"|rel="noopener")/g, '')
    .replace(/<\/?(head|body)>|<\/html>/g, '')
    .replace(/="([\w-]+)"(?=[\s>])/g, '=$1')
    .replace('<style></style>', () => `<style>${textOf(style)}</style>`)
    .replace('<script type=module></script>', () => `<script type="module">${textOf(boot)}</script>`)
  return new TextEncoder().encode(page)
}

/** A reader of the folder never sees half a file. */
const writeWhole = (folder: string, name: string, bytes: Uint8Array | string): void => {
  const path = join(folder, name)
  const fresh = `${path}.${process.pid}`
  writeFileSync(fresh, bytes)
  renameSync(fresh, path)
}

/** Writes the files and their manifest.json into `folder`, and removes what else is there. Returns it, and what went into them. */
export const buildWeb = async (folder: string): Promise<{ manifest: WebManifest; metafile: Metafile }> => {
  const { files, loader, frame, pins, metafile } = await buildAll()
  mkdirSync(folder, { recursive: true })
  for (const [name, { bytes }] of Object.entries(files)) writeWhole(folder, name, bytes)
  const manifest: WebManifest = {
    loader,
    integrity: `sha384-${files[loader]!.sha384}`,
    frame,
    pins,
    files: Object.fromEntries(Object.entries(files).map(([name, { bytes, ...file }]) => [name, file])),
  }
  writeWhole(folder, MANIFEST, `${JSON.stringify(manifest, null, 2)}\n`)
  for (const name of readdirSync(folder))
    if (!files[name] && name !== MANIFEST && name !== SOURCES) rmSync(join(folder, name), { force: true })
  const sources = [...MAKERS, ...Object.keys(metafile.inputs)].sort()
  writeWhole(folder, SOURCES, JSON.stringify({ digest: digestOf(sources), sources }))
  return { manifest, metafile }
}

/** Not by their times, which a checkout changes. */
const digestOf = (sources: readonly string[]): string => {
  const hash = createHash('sha256')
  for (const path of sources)
    hash.update(path).update(existsSync(join(ROOT, path)) ? readFileSync(join(ROOT, path)) : '')
  return hash.digest('hex')
}

const isCurrent = (folder: string): boolean => {
  if (!existsSync(join(folder, SOURCES)) || !existsSync(join(folder, MANIFEST))) return false
  const { digest, sources } = JSON.parse(readFileSync(join(folder, SOURCES), 'utf8'))
  return digest === digestOf(sources)
}

/** The manifest of `folder`, whose files are made first if a source has changed since. */
export const ensureWeb = async (folder = WEB_FOLDER): Promise<WebManifest> => {
  if (!isCurrent(folder)) await buildWeb(folder)
  return JSON.parse(readFileSync(join(folder, MANIFEST), 'utf8'))
}

if (import.meta.main) await ensureWeb()
