/** What a bundle for a page leaves out: copies of what it has already, keys that no peer has, traces that nobody reads. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BuildOptions, OnResolveArgs, Plugin } from 'esbuild'

const ROOT = join(import.meta.dirname, '../..')

/**
 * Packages of libp2p's that are installed in several places and versions: a page has each once, in its newest version.
 * Those that ask for an older one (noise and yamux) call nothing that has changed since.
 */
const ONCE = ['multiformats', 'protons-runtime', 'uint8-varint', 'uint8arraylist', 'uint8arrays']

/** For each the folder that has it in its `node_modules`; of equal ones the first by name. */
const newestOf = (): Map<string, string> => {
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'))
  const byVersion = (a: string, b: string) =>
    packages[b].version.localeCompare(packages[a].version, 'en', { numeric: true })
  const places = Object.keys(packages).sort()
  return new Map(
    ONCE.map((name) => {
      const [newest] = places.filter((path) => path.endsWith(`node_modules/${name}`)).sort(byVersion)
      return [name, join(ROOT, newest!, '../..')]
    }),
  )
}

const SETTLED = 'settled'

const once: Plugin = {
  name: 'once',
  setup({ onResolve, resolve }) {
    const newest = newestOf()
    const filter = new RegExp(`^(${ONCE.join('|')})(/|$)`)
    onResolve({ filter }, ({ path, kind, pluginData }: OnResolveArgs) => {
      if (pluginData === SETTLED) return undefined
      return resolve(path, { kind, resolveDir: newest.get(path.split('/')[0]!)!, pluginData: SETTLED })
    })
  },
}

const ed25519Alone: Plugin = {
  name: 'ed25519-alone',
  setup({ onResolve, resolve }) {
    // The package's own files reach the same module by a relative path.
    onResolve(
      { filter: /^(@libp2p\/crypto\/keys|\.\.\/index\.js)$/ },
      async ({ path, kind, resolveDir, pluginData }) => {
        if (pluginData === SETTLED) return undefined
        const found = await resolve(path, { kind, resolveDir, pluginData: SETTLED })
        const isKeys = /@libp2p[\\/]crypto[\\/]dist[\\/]src[\\/]keys[\\/]index\.js$/.test(found.path)
        return isKeys ? { path: join(import.meta.dirname, 'ed25519-keys.ts') } : found
      },
    )
  },
}

/** What stands in for files of libp2p's packages, by the end of their paths. */
const STOOD_IN =
  /node_modules.(@libp2p.)?(libp2p|utils|circuit-relay-v2).dist.src.(transport.discovery|(peer-|content-)routing|random-walk|filters.index)\.js$/

const standIns: Plugin = {
  name: 'stand-ins',
  setup({ onResolve }) {
    const path = join(import.meta.dirname, 'stand-ins.ts')
    onResolve({ filter: /^\.\.?\/.*\.js$/ }, (one) =>
      STOOD_IN.test(join(one.resolveDir, one.path)) ? { path, sideEffects: false } : undefined,
    )
  },
}

const WORKER = 'browser-agent/worker.ts'

/** What runs WebAssembly is loaded when it is needed. Only by a page's own workers: others, as tests have, hold it. */
const tierApart: Plugin = {
  name: 'tier-apart',
  setup({ onResolve, initialOptions: { entryPoints } }) {
    if (!JSON.stringify(entryPoints).includes(WORKER)) return
    onResolve({ filter: /^\.\/program\/program\.ts$/ }, () => ({ path: join(ROOT, 'browser-agent/wasm-tier.ts') }))
  },
}

/** Sources of ours define and do nothing else when they are imported: one of which nothing is called stays out. */
const calledAlone: Plugin = {
  name: 'called-alone',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^\.{1,2}\/.*\.ts$/ }, ({ path, resolveDir }) => ({
      path: join(resolveDir, path),
      sideEffects: false,
    })),
}

/** Of every bundle for a page: what is served, what is published, and what tests run. */
export const FOR_PAGES = {
  platform: 'browser',
  target: 'es2022',
  alias: {
    // libp2p's WebRTC would bring another build of the handshake.
    '@libp2p/noise': '@chainsafe/libp2p-noise',
    '@libp2p/logger': join(import.meta.dirname, 'silent-logger.ts'),
    netmask: join(import.meta.dirname, 'netmask.ts'),
    'multiformats/basics': join(import.meta.dirname, 'bases.ts'),
  },
  plugins: [once, ed25519Alone, standIns, tierApart, calledAlone],
} satisfies BuildOptions
