/** The package.json of what is published, from the root's. */
import { isForPages, NATIVE_PACKAGES, outputName, PAGES_FOLDER, rootManifest } from './layout.ts'

type Entry = string | { [condition: string]: Entry }

const entryOf = (entry: Entry): Entry => {
  if (typeof entry !== 'string')
    return Object.fromEntries(Object.entries(entry).map(([condition, source]) => [condition, entryOf(source)]))
  const source = entry.replace(/^\.\//, '')
  const folder = isForPages(source) ? `dist/${PAGES_FOLDER}` : 'dist'
  return { types: `./types/${source.replace(/\.ts$/, '.d.ts')}`, default: `./${folder}/${outputName(source)}.js` }
}

export const publishedManifest = (): object => {
  const { name, version, description, license, engines, bin, exports, devDependencies } = rootManifest()
  return {
    name,
    version,
    description,
    license,
    type: 'module',
    engines,
    bin,
    exports: {
      ...Object.fromEntries(Object.entries(exports).map(([path, source]) => [path, entryOf(source)])),
      // Whoever bundles a page copies these three to where its code lies.
      './browser/worker.js': `./dist/${PAGES_FOLDER}/browser-agent-worker.js`,
      './browser/tier.js': `./dist/${PAGES_FOLDER}/sandbox-program-program.js`,
      './browser/engine.wasm': `./dist/${PAGES_FOLDER}/quickjs.wasm`,
    },
    // Only for functions in AssemblyScript; without it the bundler says so.
    peerDependencies: { assemblyscript: `^${devDependencies.assemblyscript}` },
    peerDependenciesMeta: { assemblyscript: { optional: true } },
    dependencies: Object.fromEntries(NATIVE_PACKAGES.map((native) => [native, devDependencies[native]])),
  }
}
