/** Who may import whom: the table of the design. */
import { type Import, importsOf, isTestCode } from './imports.ts'
import type { SourceFile } from './syntax-tree.ts'

interface Layer {
  folders: string[]
  /** By name; a `*` at the end stands for anything. */
  packages: string[]
}

const PEER_FOLDERS = ['protocol', 'sandbox', 'sandbox/wasm', 'registry']
const LIBP2P = ['libp2p', '@libp2p/*', '@chainsafe/*', '@multiformats/multiaddr']
const EVERYTHING: Layer = { folders: ['*'], packages: ['*'] }

/** The longest name that a path begins with counts. A folder may import itself, but not a folder in it named here. */
const LAYERS: Record<string, Layer> = {
  protocol: { folders: [], packages: ['multiformats', '@ipld/dag-cbor', 'valibot'] },
  sandbox: { folders: ['protocol', 'sandbox/wasm'], packages: ['@bjorn3/browser_wasi_shim'] },
  'sandbox/wasm': { folders: ['protocol'], packages: [] },
  'sandbox/guest/web': { folders: ['protocol'], packages: ['web-streams-polyfill', '@noble/hashes'] },
  registry: { folders: ['protocol'], packages: ['it-*'] },
  peer: { folders: [...PEER_FOLDERS, 'peer/network'], packages: [] },
  'peer/network': { folders: [...PEER_FOLDERS, 'peer'], packages: [...LIBP2P, 'it-*'] },
  sdk: { folders: ['protocol', 'registry', 'peer'], packages: [] },
  'sdk/bundle': {
    folders: ['protocol', 'sandbox/wasm', 'registry', 'peer', 'sdk'],
    packages: ['node:*', 'binaryen', 'esbuild', 'valibot', '@valibot/to-json-schema'],
  },
  node: {
    folders: [...PEER_FOLDERS, 'peer', 'peer/network', 'sdk', 'sdk/bundle'],
    packages: [
      'node:*',
      ...LIBP2P,
      'multiformats',
      'dns-packet',
      'level',
      'commander',
      'uqr',
      'valibot',
      'it-pipe',
      'ws',
    ],
  },
  bin: { folders: ['node'], packages: ['node:*'] },
  'browser-agent': { folders: [...PEER_FOLDERS, 'peer', 'peer/network', 'sdk'], packages: [...LIBP2P, '@noble/*'] },
  simulations: { folders: [...PEER_FOLDERS, 'peer', 'peer/network'], packages: [] },
  bench: EVERYTHING,
  examples: EVERYTHING,
  scripts: EVERYTHING,
  tidy: EVERYTHING,
}

/** The name of the layer that `path` belongs to; undefined for a file at the root. */
const layerOf = (path: string): string | undefined =>
  Object.keys(LAYERS)
    .filter((name) => path.startsWith(`${name}/`))
    .sort((a, b) => b.length - a.length)[0]

const allows = (patterns: string[], name: string) =>
  patterns.some((pattern) => (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern))

const packageOf = (specifier: string) =>
  specifier.startsWith('node:') ? specifier : specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')

const complaint = (from: string, layer: Layer, { specifier, target }: Import): string | undefined => {
  if (target === undefined) {
    const name = packageOf(specifier)
    return allows(layer.packages, name) ? undefined : `${from}/ may not import the package ${name}`
  }
  if (layer === EVERYTHING) return undefined
  // Data at the root, such as package.json, is everyone's.
  if (!target.includes('/') && target.endsWith('.json')) return undefined
  const to = layerOf(target)
  if (to === undefined) return `${from}/ may not import ${target}, which is in no layer`
  return to === from || allows(layer.folders, to) ? undefined : `${from}/ may not import ${to}/`
}

export const layerViolations = (file: SourceFile): string[] => {
  const name = layerOf(file.path)
  const layer = name === undefined ? undefined : LAYERS[name]
  if (name === undefined || layer === undefined || isTestCode(file)) return []
  return importsOf(file).flatMap((imported) => {
    const wrong = complaint(name, layer, imported)
    return wrong ? [`${file.path}:${imported.line}: ${wrong}`] : []
  })
}

/** Code that is no test imports no code that only tests use. */
export const testCodeViolations = (files: readonly SourceFile[]): string[] => {
  const testCode = new Set(files.filter(isTestCode).map(({ path }) => path))
  return files
    .filter(({ path }) => !testCode.has(path))
    .flatMap((file) =>
      importsOf(file)
        .filter(({ target }) => target !== undefined && testCode.has(target))
        .map(({ target, line }) => `${file.path}:${line}: imports ${target}, which only tests may use`),
    )
}

/** What is imported is declared, not found by chance among another package's dependencies. */
export const undeclaredViolations = (file: SourceFile, declared: ReadonlySet<string>): string[] =>
  importsOf(file)
    .filter(({ specifier, target }) => target === undefined && !specifier.startsWith('node:'))
    .filter(({ specifier }) => !declared.has(packageOf(specifier)))
    .map(({ specifier, line }) => `${file.path}:${line}: ${packageOf(specifier)} is not in package.json`)
