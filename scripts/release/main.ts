/** `npm run pack`: writes what is published to dist/package, and the tarball of it to dist/. */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildWeb, elementConstants } from '../web/build.ts'
import { bundleCode, bundleForPages } from './bundle-code.ts'
import { writeDeclarations } from './declarations.ts'
import { entryPoints, outputName, PAGES_FOLDER, ROOT, rootManifest } from './layout.ts'
import { thirdPartyNotices } from './licences.ts'
import { publishedManifest } from './manifest.ts'

/** What the command imports once it has checked the version of Node. */
const COMMAND = 'node/cli/main.ts'
const COPIED = ['README.md', 'CHANGELOG.md', 'LICENSE-APACHE', 'LICENSE-MIT', 'schema.json']

const writeCommand = (folder: string): void => {
  const [path] = Object.values(rootManifest().bin) as [string]
  const source = readFileSync(join(ROOT, path), 'utf8')
  const target = `../dist/${outputName(COMMAND)}.js`
  const command = source.replace(`import('../${COMMAND}')`, `import('${target}')`)
  if (command === source) throw new Error(`${path} does not import ../${COMMAND}`)
  mkdirSync(join(folder, 'bin'), { recursive: true })
  writeFileSync(join(folder, path), command, { mode: 0o755 })
}

/** Writes the published package into `folder`, which is emptied first. */
export const writePackage = async (folder: string): Promise<void> => {
  rmSync(folder, { recursive: true, force: true })
  const { node, pages } = entryPoints()
  const forNode = await bundleCode([COMMAND, ...node], join(folder, 'dist'))
  const { manifest, metafile: web } = await buildWeb(join(folder, 'dist/web'))
  const forPages = await bundleForPages(pages, join(folder, 'dist', PAGES_FOLDER), elementConstants(manifest))
  writeDeclarations([...node, ...pages], join(folder, 'types'))
  writeCommand(folder)
  for (const file of COPIED) cpSync(join(ROOT, file), join(folder, file))
  // The sandboxes of versions before this one: `node/sandbox-releases.ts` looks for them there.
  const releases = join(ROOT, 'sandbox/releases')
  if (existsSync(releases)) cpSync(releases, join(folder, 'dist/releases'), { recursive: true })
  writeFileSync(join(folder, 'THIRD-PARTY-NOTICES'), thirdPartyNotices([forNode, ...forPages, web]))
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(publishedManifest(), null, 2)}\n`)
}

/** Runs npm, the one that started us if any, and returns what it printed. */
export const npm = (args: readonly string[], cwd: string): string => {
  const { npm_execpath } = process.env
  const [program, ...first] = npm_execpath ? [process.execPath, npm_execpath] : ['npm']
  const { status, stdout, stderr } = spawnSync(program as string, [...first, ...args], { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`npm ${args.join(' ')} failed:\n${stdout}${stderr}`)
  return stdout
}

/** Writes the tarball of the package in `folder` into the folder `into`; returns its path. */
export const packInto = (folder: string, into: string): string => {
  const [packed] = JSON.parse(npm(['pack', folder, '--pack-destination', into, '--json'], into))
  return join(into, packed.filename)
}

if (import.meta.main) {
  const dist = join(ROOT, 'dist')
  await writePackage(join(dist, 'package'))
  console.log(packInto(join(dist, 'package'), dist))
}
