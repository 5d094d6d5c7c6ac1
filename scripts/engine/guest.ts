/**
 * Makes `sandbox/guest/built.ts`: the prelude without what only people need, since each name in it takes room in every
 * function's image; and each group of the web's interfaces as the source of a function of `use`, bundled from
 * `sandbox/guest/web/` and the packages that it imports. The same text on every machine.
 */
import { writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { build, type Plugin, transform } from 'esbuild'
import { OUTPUT_BYTES_MAX } from '../../protocol/limits.ts'
import { PRELUDE_SOURCE } from '../../sandbox/guest/prelude.ts'
import { isWebGroup, type WebGroup } from '../../sandbox/guest/web.ts'

const ROOT = join(import.meta.dirname, '../..')
const FOLDER = join(ROOT, 'sandbox/guest/web')

/** What the groups are made of beside our own files; their licences are passed on. */
export const BUNDLED_PACKAGES = ['web-streams-polyfill', '@noble/hashes']

const FIRST_FILES: Record<WebGroup, string> = {
  exception: 'sandbox/guest/web/exception.ts',
  text: 'sandbox/guest/web/text.ts',
  url: 'sandbox/guest/web/url.ts',
  events: 'sandbox/guest/web/events.ts',
  streams: 'sandbox/guest/web/streams.ts',
  blob: 'sandbox/guest/web/blob.ts',
  fetch: 'sandbox/guest/web/fetch.ts',
  console: 'sandbox/guest/web/console.ts',
  tasks: 'sandbox/guest/web/tasks.ts',
  platform: 'sandbox/guest/web/platform.ts',
  crypto: 'sandbox/guest/web/crypto.ts',
  digest: 'sandbox/guest/web/digest.ts',
  serve: 'sandbox/guest/web/serve.ts',
  module: 'sandbox/guest/web/module.ts',
  effects: 'sandbox/guest/web/effects.ts',
  state: 'sandbox/guest/web/state.ts',
  fetcher: 'sandbox/guest/web/fetcher.ts',
  clone: 'sandbox/guest/web/clone.ts',
}

export const GUEST_FILE = join(FOLDER, '../built.ts')

/** An import of another group's first file, or of what the prelude exports, stays an import: of the group's name. */
const apart = (group: string): Plugin => ({
  name: 'groups',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\// }, ({ path, importer }) => {
      const name = basename(path, '.ts')
      if (dirname(importer) !== FOLDER || name === group) return undefined
      if (name === 'prelude-exports') return { path: 'prelude', external: true }
      return isWebGroup(name) ? { path: name, external: true } : undefined
    })
  },
})

/** Of all limits those that the guest has: the minifier's names depend on all text that it reads, used or not. */
const limits: Plugin = {
  name: 'limits',
  setup: ({ onLoad }) =>
    onLoad({ filter: /\bprotocol[\\/]limits\.ts$/ }, () => ({
      contents: `export const OUTPUT_BYTES_MAX = ${OUTPUT_BYTES_MAX}`,
    })),
}

/** `{a as b,c}` of an import or an export, as a pattern or as an object. */
const renamed = (names: string, turned: boolean): string =>
  names
    .split(',')
    .map((one) => one.trim().split(' as ') as [string, string?])
    .map(([local, other = local]) => (turned ? `${other}:${local}` : `${local}:${other}`))
    .join(',')

/** An ES module without default or namespace imports, as an expression: a function of `use` that returns its exports. */
const asFunction = (code: string): string => {
  const body = code
    .trim()
    .replace(/import\{([^}]*)\}from"(\w+)";/g, (_, names, group) => `const{${renamed(names, false)}}=use("${group}");`)
    .replace(/export\{([^}]*)\};$/, (_, names) => `return{${renamed(names, true)}}`)
  if (/\b(import|export)[{\s]/.test(body.slice(0, 200)) || !body.includes('return{'))
    throw new Error('not one export at the end')
  return `(function(use){"use strict";${body}})`
}

const bundleGroup = async (group: WebGroup): Promise<string> => {
  const { outputFiles, metafile } = await build({
    entryPoints: [join(ROOT, FIRST_FILES[group])],
    bundle: true,
    write: false,
    metafile: true,
    minify: true,
    format: 'esm',
    target: 'es2023',
    charset: 'ascii',
    legalComments: 'none',
    plugins: [apart(group), limits],
    logLevel: 'silent',
  })
  const unlisted = Object.keys(metafile.inputs).find(
    (path) =>
      path.includes('node_modules/') && !BUNDLED_PACKAGES.some((name) => path.includes(`node_modules/${name}/`)),
  )
  if (unlisted) throw new Error(`${unlisted} is bundled, and its package is not listed`)
  return asFunction(outputFiles[0]!.text)
}

const PREFIX = 'globalThis.prelude='

const minifiedPrelude = async (): Promise<string> => {
  const { code } = await transform(PREFIX + PRELUDE_SOURCE, { minify: true, target: 'es2023', charset: 'ascii' })
  if (!code.startsWith(PREFIX)) throw new Error('the prelude is not one expression')
  return `(${code.slice(PREFIX.length).replace(/;\n$/, '')})`
}

/** The text of `sandbox/guest/built.ts`. */
export const guestText = async (): Promise<string> => {
  const groups = Object.keys(FIRST_FILES) as WebGroup[]
  const sources = await Promise.all(groups.map(bundleGroup))
  const lines = groups.map((group, i) => `  ${group}: ${JSON.stringify(sources[i])},\n`)
  const prelude = `export const PRELUDE = ${JSON.stringify(await minifiedPrelude())}\n`
  return `/** Made by scripts/engine/guest.ts: do not edit. */\n${prelude}export const GROUP_SOURCES = {\n${lines.join('')}}\n`
}

export const writeGuest = async (): Promise<void> => writeFileSync(GUEST_FILE, await guestText())
