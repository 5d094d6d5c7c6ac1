/** What is published, installed as a user installs it: into an empty folder, from the tarball. */
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { connect, fn } from '../../node/sdk.ts'
import { freshDirectory, startAgent, wayside } from '../../node/testing/wayside.ts'
import { MIB } from '../../protocol/limits.ts'
import { compileWasi } from '../../sdk/bundle/wasm/testing/compile.ts'
import { ROOT } from './layout.ts'
import { npm, packInto, writePackage } from './main.ts'

const PACKAGES_MAX = 150
const BYTES_MAX = 80 * MIB

let folder = ''
let program = ''
let installed = ''

const write = (path: string, text: string) => writeFileSync(join(folder, path), text)

beforeAll(async () => {
  folder = realpathSync(freshDirectory())
  await writePackage(join(folder, 'package'))
  const tarball = packInto(join(folder, 'package'), folder)
  write('package.json', '{ "type": "module", "private": true }')
  npm(['install', '--prefer-offline', '--no-audit', '--no-fund', tarball], folder)
  installed = join(folder, 'node_modules/wayside')
  program = join(folder, 'node_modules/.bin/wayside')
  cpSync(join(ROOT, 'examples/hello/hello.ts'), join(folder, 'hello.ts'))
})

const bytesUnder = (path: string): number => {
  const stats = lstatSync(path)
  if (!stats.isDirectory()) return stats.size
  return readdirSync(path).reduce((sum, name) => sum + bytesUnder(join(path, name)), 0)
}

test('it is small', () => {
  const lock = JSON.parse(readFileSync(join(folder, 'node_modules/.package-lock.json'), 'utf8'))
  const packages = Object.keys(lock.packages).filter((path) => existsSync(join(folder, path))).length
  const bytes = bytesUnder(join(folder, 'node_modules'))
  console.log(`installed: ${packages} packages, ${(bytes / MIB).toFixed(1)} MiB`)
  expect(packages).toBeGreaterThan(2)
  expect(packages).toBeLessThanOrEqual(PACKAGES_MAX)
  expect(bytes).toBeLessThanOrEqual(BYTES_MAX)
})

test('it depends on what cannot be bundled, and runs no scripts', () => {
  const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))
  expect(Object.keys(manifest.dependencies)).toEqual(['level', 'esbuild'])
  expect(Object.values(manifest.dependencies)).toEqual([
    expect.stringMatching(/^\d+\.\d+\.\d+$/),
    expect.stringMatching(/^\d/),
  ])
  expect(manifest).not.toHaveProperty('scripts')
  expect(manifest).not.toHaveProperty('devDependencies')
})

test('it carries its licences, and those of what is bundled', () => {
  expect(readdirSync(installed)).toEqual(
    expect.arrayContaining(['LICENSE-APACHE', 'LICENSE-MIT', 'README.md', 'schema.json']),
  )
  const notices = readFileSync(join(installed, 'THIRD-PARTY-NOTICES'), 'utf8')
  for (const name of [
    'libp2p',
    '@chainsafe/libp2p-noise',
    '@jitl/quickjs-wasmfile-release-sync',
    'web-streams-polyfill',
    '@noble/hashes',
    'valibot',
    'commander',
  ])
    expect(notices).toMatch(new RegExp(`^${name} \\d`, 'm'))
})

test('the command runs a function, alone', async () => {
  const args = ['run', 'hello.ts', '{"name":"Ada"}', '--data', freshDirectory()]
  const { status, stdout, stderr } = await wayside(args, { program, cwd: folder })
  expect([status, stdout.trim()], stderr).toEqual([0, '{"text":"Hello, Ada"}'])
})

test('it meters WebAssembly, and says what AssemblyScript needs', async () => {
  writeFileSync(join(folder, 'echo.wasm'), compileWasi('#include <stdio.h>\nint main(void) { putchar(getchar()); }'))
  write('kernel.as.ts', 'export function alloc(length: i32): usize { return 0 }')
  const run = (file: string) =>
    wayside(['run', file, '7', '--local', '--data', freshDirectory()], { program, cwd: folder })
  expect(await run('echo.wasm')).toMatchObject({ status: 0, stdout: '7' })
  expect(await run('kernel.as.ts')).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('npm install --save-dev'),
  })
})

test('its agents join, and execute for one another and for a checkout, with the same engine', async () => {
  const one = await startAgent([], { program })
  const two = await startAgent(['--join', one.status.ticket!], { program })
  const args = ['run', 'hello.ts', '{"name":"Ada"}', '--remote', '--data', two.data]
  const { status, stdout, stderr } = await wayside(args, { program, cwd: folder })
  expect([status, stdout.trim()], stderr).toEqual([0, '{"text":"Hello, Ada"}'])

  await using mesh = await connect({ join: [one.status.ticket!] })
  const hello = fn<(input: { name: string }) => { text: string }>(join(folder, 'hello.ts'))
  const options = { verify: 'self', remote: true, receipt: true } as const
  const { value, receipt } = await mesh.call(hello, { name: 'Eve' }, options)
  expect(value).toEqual({ text: 'Hello, Eve' })
  expect(receipt.disputes).toEqual([])
  expect([one.status.peer, two.status.peer]).toContain(receipt.executors[0])
})

test('the SDK runs from it, and each entry point can be imported', async () => {
  write(
    'call.ts',
    [
      "import { connect, fn } from 'wayside'",
      "import { bundle } from 'wayside/bundle'",
      "import * as node from 'wayside/node'",
      "import { encodeValue } from 'wayside/protocol'",
      "import 'wayside/element'",
      "const hello = fn<typeof import('./hello.ts').default>(new URL('./hello.ts', import.meta.url))",
      'await using mesh = await connect()',
      "const { text } = await mesh.call(hello, { name: 'Ada' })",
      "const { exports } = await bundle('hello.ts')",
      'console.log(JSON.stringify([text, exports, encodeValue(null).length, Object.keys(node).length > 0]))',
    ].join('\n'),
  )
  const { stdout, stderr } = await wayside([], { program: 'call.ts', cwd: folder, env: { HOME: folder } })
  expect(stdout.trim(), stderr).toBe('["Hello, Ada",["default"],1,true]')
})

test('types resolve for who uses it, and refuse what is wrong', async () => {
  mkdirSync(join(folder, 'types'))
  const config = {
    compilerOptions: {
      ...{ noEmit: true, strict: true, target: 'es2024', module: 'nodenext', skipLibCheck: false },
      ...{ allowImportingTsExtensions: true, types: ['node'], typeRoots: [join(ROOT, 'node_modules/@types')] },
    },
    include: ['*.ts'],
  }
  write('types/tsconfig.json', JSON.stringify(config))
  write(
    'types/caller.ts',
    [
      "import { connect, fn, MeshError, type Value } from 'wayside'",
      "import { bundle } from 'wayside/bundle'",
      "import * as node from 'wayside/node'",
      "import { Manifest, type Outcome } from 'wayside/protocol'",
      "const hello = fn<typeof import('../hello.ts').default>('../hello.ts')",
      'await using mesh = await connect()',
      "const right: { text: string } = await mesh.call(hello, { name: 'Ada' })",
      "const wrong: { text: number } = await mesh.call(hello, { name: 'Ada' })",
      "await mesh.call(hello, { nmae: 'Ada' })",
      'const fuel: Outcome["fuel"] = "much"',
      'const names: string[] = Manifest.decode(new Uint8Array()).exports',
      'const value: Value = { a: [1n] }',
      'console.log(right, wrong, fuel, names, value, MeshError, bundle, node)',
      "import { connect as connectPage, lend, type PageAgent } from 'wayside/browser'",
      "const agent: PageAgent = await lend({ mesh: 'wayside1', accept: ['mesh'], limits: { cpuShare: 0.5 } })",
      'await connectPage({})',
      'console.log(agent.view().today.cpuMs.toFixed())',
      "import 'wayside/element'",
      "const tag: HTMLElement | null = document.querySelector('wayside-agent')",
      "console.log(tag?.title, document.createElement('wayside-agent').mesh)",
    ].join('\n'),
  )
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
  const { stdout } = await wayside(['-p', 'types', '--pretty', 'false'], { program: tsc, cwd: folder })
  const errors = stdout.split('\n').filter((line) => line.includes('error'))
  expect(errors.map((line) => /^(.*?),\d+\): error (\w+)/.exec(line)?.slice(1).join(' ') ?? line)).toEqual([
    'types/caller.ts(8 TS2322',
    'types/caller.ts(9 TS2353',
    'types/caller.ts(10 TS2322',
    'types/caller.ts(16 TS2741',
    'types/caller.ts(20 TS2339',
  ])
})
