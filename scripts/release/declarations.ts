/** The types of what is published: our own declarations, and those of bundled packages that they mention. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { NATIVE_PACKAGES, ROOT } from './layout.ts'

const SPECIFIER = /(from\s+|import\(|import\s+)(['"])([^'"]+)\2/g

const emit = (entries: readonly string[], outDir: string): void => {
  const compilerOptions = {
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    rootDir: ROOT,
    outDir,
    typeRoots: [join(ROOT, 'node_modules/@types')],
  }
  const files = entries.map((entry) => join(ROOT, entry))
  const project = join(outDir, 'tsconfig.json')
  writeFileSync(project, JSON.stringify({ extends: join(ROOT, 'tsconfig.json'), compilerOptions, files }))
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
  const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', project], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`tsc could not write the declarations:\n${stdout}`)
}

const packageOf = (specifier: string) => specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')

/** The declarations of a package, by the `types` of its exports. */
const packageTypes = (specifier: string): string => {
  const name = packageOf(specifier)
  const folder = join(ROOT, 'node_modules', name)
  const { exports, types } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const entry = exports?.[`.${specifier.slice(name.length)}`]
  const found = entry?.types ?? entry?.import?.types ?? (specifier === name ? types : undefined)
  if (typeof found !== 'string') throw new Error(`${specifier}: its package.json names no types`)
  return join(folder, found)
}

/** The file that a relative specifier in a declaration file leads to; none for what only a comment mentions. */
const besideTypes = (from: string, specifier: string): string | undefined => {
  const path = join(dirname(from), specifier)
  const candidates = [path.replace(/\.(ts|js)$/, '.d.ts'), path.replace(/\.mjs$/, '.d.mts'), `${path}.d.ts`]
  return candidates.find((candidate) => /\.d\.m?ts$/.test(candidate) && existsSync(candidate))
}

const isOutside = (specifier: string) => specifier.startsWith('node:') || NATIVE_PACKAGES.includes(packageOf(specifier))

/**
 * Writes into the folder `types` the declarations of `entries` (sources from the root) and all that they lead to; those
 * of packages under `vendor/`. What is left to resolve is Node's own and what the published package depends on.
 */
export const writeDeclarations = (entries: readonly string[], types: string): void => {
  const emitted = mkdtempSync(join(tmpdir(), 'wayside-types-'))
  const placeOf = (file: string) =>
    file.startsWith(emitted)
      ? join(types, relative(emitted, file))
      : join(types, 'vendor', relative(join(ROOT, 'node_modules'), file))
  try {
    emit(entries, emitted)
    const open = entries.map((entry) => join(emitted, entry.replace(/\.ts$/, '.d.ts')))
    const done = new Set<string>()
    for (let file = open.pop(); file !== undefined; file = open.pop()) {
      if (done.has(file)) continue
      done.add(file)
      const from = file
      const rewritten = readFileSync(from, 'utf8').replace(SPECIFIER, (written, before, quote, specifier) => {
        if (isOutside(specifier)) return written
        const target = specifier.startsWith('.') ? besideTypes(from, specifier) : packageTypes(specifier)
        if (target === undefined) return written
        open.push(target)
        const path = relative(dirname(placeOf(from)), placeOf(target)).replace(/\.d\.(m?)ts$/, '.$1js')
        return `${before}${quote}${path.startsWith('.') ? path : `./${path}`}${quote}`
      })
      mkdirSync(dirname(placeOf(from)), { recursive: true })
      writeFileSync(placeOf(from), rewritten)
    }
  } finally {
    rmSync(emitted, { recursive: true })
  }
}
