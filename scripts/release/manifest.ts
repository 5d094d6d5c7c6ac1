/** The package.json of what is published, from the root's. */
import { NATIVE_PACKAGES, outputName, rootManifest } from './layout.ts'

const entryOf = (source: string) => ({
  types: source.replace(/\.ts$/, '.d.ts').replace(/^\.\//, './types/'),
  default: `./dist/${outputName(source.replace(/^\.\//, ''))}.js`,
})

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
    exports: Object.fromEntries(Object.entries(exports).map(([path, source]) => [path, entryOf(source)])),
    // Only for functions in AssemblyScript; without it the bundler says so.
    peerDependencies: { assemblyscript: `^${devDependencies.assemblyscript}` },
    peerDependenciesMeta: { assemblyscript: { optional: true } },
    dependencies: Object.fromEntries(NATIVE_PACKAGES.map((native) => [native, devDependencies[native]])),
  }
}
