/** The compiler is the test: each line below is right, or is refused where it says so. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, expectTypeOf, test } from 'vitest'
import { temporaryProject } from './bundle/temporary-project.ts'
import { FakeBackend, FakeHost } from './fake-backend.ts'
import {
  type CallReceipt,
  type Context,
  type Fetcher,
  type Fn,
  fn,
  type MapItem,
  type Mesh,
  type Secret,
  type State,
  type Value,
} from './index.ts'
import { BackedMesh } from './mesh.ts'

interface Tile {
  x: number
  y: number
  label?: string
}

/** Stands for `typeof import('./tile.ts')`. */
interface TileModule {
  default(input: Tile): Promise<Uint8Array>
  count(input: { page: string }, env: { DB: unknown }): number
  forget(): void
  find(input: string): string | undefined
  readonly limit: number
}

const mesh: Mesh = new BackedMesh(new FakeHost(), new FakeBackend())
const tile = fn<TileModule['default']>('./tile.ts')
const count = fn<TileModule, 'count'>('./tile.ts', { export: 'count' })

test('input and output come from the function', () => {
  expectTypeOf(tile).toEqualTypeOf<Fn<Tile, Uint8Array>>()
  expectTypeOf(count).toEqualTypeOf<Fn<{ page: string }, number>>()
  expectTypeOf(mesh.call(tile, { x: 0, y: 0 })).toEqualTypeOf<Promise<Uint8Array>>()
  expectTypeOf(mesh.call(tile, { x: 0, y: 0 }, { receipt: true })).toEqualTypeOf<
    Promise<{ value: Uint8Array; receipt: CallReceipt }>
  >()
  expectTypeOf(mesh.map(count, [{ page: 'a' }])).toEqualTypeOf<AsyncIterableIterator<MapItem<number>>>()
})

/** As the design has it. */
async function visit(input: { page: string }, env: { DB: State }, ctx: Context) {
  const n = ((await env.DB.get(input.page)) ?? 0) + 1
  await env.DB.put(input.page, n)
  return ctx.call('#hello', { name: `visitor ${n}` })
}

interface Stock {
  count: number
}

async function order(input: { item: string }, env: { DB: State; SHOP: Fetcher; KEY: Secret }, ctx: Context) {
  const stock = await env.DB.get<Stock>(input.item)
  const { entries, more } = await env.DB.list<Stock>({ prefix: 'item/', limit: 10 })
  const headers = { authorization: `Bearer ${env.KEY}` }
  const response = await env.SHOP.fetch('https://shop.example/', { headers })
  await env.SHOP.send('https://shop.example/orders', { method: 'POST', body: JSON.stringify(input), headers })
  ctx.waitUntil(env.DB.delete(input.item))
  return {
    stock,
    first: entries[0]?.value,
    more,
    status: response.status,
    at: await ctx.now(),
    id: await ctx.random(16),
  }
}

test('a function knows what it is handed', () => {
  expectTypeOf(mesh.call(fn<typeof visit>('./visit.ts'), { page: '/' })).resolves.toBeAny()
  type Ordered = Awaited<ReturnType<typeof order>>
  expectTypeOf<Ordered['stock']>().toEqualTypeOf<Stock | null>()
  expectTypeOf<Ordered['first']>().toEqualTypeOf<Stock | undefined>()
  expectTypeOf<Pick<Ordered, 'at' | 'id'>>().toEqualTypeOf<{ at: number; id: Uint8Array }>()
})

test('what does not fit is refused', () => {
  expectTypeOf(refused).toBeFunction()
})

test('a bare undefined arrives as null', () => {
  expectTypeOf(fn<TileModule['forget']>('./tile.ts#forget')).toEqualTypeOf<Fn<undefined, null>>()
  expectTypeOf(fn<TileModule, 'find'>('./tile.ts', { export: 'find' })).toEqualTypeOf<Fn<string, string | null>>()
})

test('without a type, anything goes in and a Value comes out', () => {
  expectTypeOf(mesh.call(fn('./tile.ts'), new Map().size)).toEqualTypeOf<Promise<Value>>()
})

/** Compiled, never run. */
const refused = async () => {
  // @ts-expect-error a property is missing
  await mesh.call(tile, { x: 0 })
  // @ts-expect-error a property is misspelt
  await mesh.call(tile, { x: 0, y: 0, lable: 'a' })
  // @ts-expect-error a property has another type
  await mesh.call(tile, { x: 0, y: '0' })
  // @ts-expect-error one of the inputs is none
  mesh.map(tile, [{ x: 0, y: 0 }, { x: 1 }])
  // @ts-expect-error the result has another type
  const text: string = await mesh.call(tile, { x: 0, y: 0 })
  for await (const item of mesh.map(count, [{ page: 'a' }])) {
    // @ts-expect-error a failed item has no value
    item.value.toFixed()
    // @ts-expect-error the value has another type
    if (item.ok) item.value.toUpperCase()
  }
  // @ts-expect-error without being asked for, there is no receipt
  const { receipt } = await mesh.call(tile, { x: 0, y: 0 })
  // @ts-expect-error the module has no such export
  fn<TileModule, 'nothing'>('./tile.ts', { export: 'nothing' })
  // @ts-expect-error the export is no function
  fn<TileModule, 'limit'>('./tile.ts', { export: 'limit' })
  // @ts-expect-error the export named is another one
  fn<TileModule, 'count'>('./tile.ts', { export: 'find' })
  // @ts-expect-error a level is a text
  await mesh.call(tile, { x: 0, y: 0 }, { verify: 2 })
  // @ts-expect-error the option has another name
  await mesh.call(tile, { x: 0, y: 0 }, { timeout: 2 })
  return [text, receipt]
}

const ROOT = join(import.meta.dirname, '..')
const CONFIG = {
  extends: join(ROOT, 'tsconfig.json'),
  compilerOptions: { rewriteRelativeImportExtensions: false, typeRoots: [join(ROOT, 'node_modules/@types')] },
  include: ['*.ts'],
}
const SHOP = `export const visit = async (input: { page: string }) => input.page.length
export default (n: number) => [n]
`

/** The function of docs/EFFECTS.md. */
const PAGE = /```ts\n(.*?)```/s.exec(readFileSync(join(ROOT, 'docs/EFFECTS.md'), 'utf8'))?.[1] as string

/** Compiles `lines` of a caller, beside shop.ts and that; returns line and code of each error. */
const compile = (lines: readonly string[]): string[] => {
  const head = [`import { fn, type Mesh } from '${ROOT}/sdk/index.ts'`, 'declare const mesh: Mesh']
  const folder = temporaryProject({
    'package.json': '{ "type": "module" }',
    'shop.ts': SHOP,
    'page.ts': PAGE.replace("'wayside'", `'${ROOT}/sdk/index.ts'`),
    'tsconfig.json': JSON.stringify(CONFIG),
    'caller.ts': [...head, ...lines, 'export {}'].join('\n'),
  })
  const tsc = [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', folder, '--pretty', 'false']
  const { stdout } = spawnSync(process.execPath, tsc, { cwd: ROOT, encoding: 'utf8' })
  const errors = [...stdout.matchAll(/(caller|shop|page)\.ts\((\d+),\d+\): error (TS\d+)/g)]
  return errors.map(([, file, line, code]) => `${file}:${Number(line) - head.length} ${code}`)
}

const VISIT = "const visit = fn<typeof import('./shop.ts').visit>(new URL('./shop.ts#visit', import.meta.url))"

test('tsc passes a caller of a real module, and the function of the page on effects', () => {
  expect(compile([VISIT, "export const n: number = await mesh.call(visit, { page: 'a' })"])).toEqual([])
})

test('tsc refuses a wrong input, a wrong result and an unknown export of a real module', () => {
  const errors = compile([
    VISIT,
    'await mesh.call(visit, { side: 1 })',
    "export const n: string = await mesh.call(visit, { page: 'a' })",
    "fn<typeof import('./shop.ts').visitor>('./shop.ts#visitor')",
    "fn<typeof import('./shop.ts'), 'visitor'>('./shop.ts', { export: 'visitor' })",
  ])
  expect(errors).toEqual(['caller:2 TS2353', 'caller:3 TS2322', 'caller:4 TS2694', 'caller:5 TS2344'])
})
