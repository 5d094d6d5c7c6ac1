/** What functions keep, by the command line of their home. */
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { begin, freshProject, startAgent, type TestAgent, until, wayside } from '../testing/wayside.ts'

let home: TestAgent
const CODE = `export default async (key, env) => {
  const n = ((await env.DB.get(key)) ?? 0) + 1
  await env.DB.put(key, n)
  return n
}`
const cwd = freshProject({ DB: { state: 'shop' } }, { 'count.js': CODE })

beforeAll(async () => {
  home = await startAgent()
})

const state = (...args: string[]) => wayside(['state', ...args, '--data', home.data])
const count = (key: string) => wayside(['run', 'count.js', JSON.stringify(key), '--data', home.data], { cwd })

test('what an owner puts is kept, given, listed and deleted', async () => {
  expect(await state('get', 'shop', 'price')).toMatchObject({ status: 1, stdout: '' })
  expect((await state('put', 'shop', 'price', '{"eur":12}')).stdout).toMatch(/^kept, as revision \d+\n$/)
  expect(await state('get', 'shop', 'price')).toMatchObject({ status: 0, stdout: '{"eur":12}\n' })
  expect(JSON.parse((await state('get', 'shop', 'price', '--json')).stdout)).toMatchObject({ value: { eur: 12 } })
  await state('put', 'shop', 'prime', '2')
  const listed = (await state('list', 'shop', 'pri')).stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(listed).toMatchObject([{ key: 'price' }, { key: 'prime', value: 2 }])
  expect((await state('list', 'shop', 'pri', '--after', 'price')).stdout).toContain('"prime"')
  expect((await state('put', 'shop', 'prime', '--delete')).stdout).toContain('deleted')
  expect((await state('list', 'shop')).stdout.split('\n')).toHaveLength(2)
  const none = await state('list', 'shop', 'order/')
  expect(none).toMatchObject({ status: 0, stdout: '' })
  expect(none.stderr).toContain('shop keeps nothing under "order/"…\n')
})

test('what a function writes is seen as it is committed, by whoever watches', async () => {
  const watching = begin(['state', 'watch', 'shop', 'visits/', '--data', home.data])
  let seen = ''
  watching.child.stdout?.on('data', (text: string) => {
    seen += text
  })
  const { revision } = JSON.parse((await state('put', 'shop', 'other', '1', '--json')).stdout)
  await until(async () => {
    await count('visits/a')
    return seen !== ''
  })
  const first = JSON.parse(seen.split('\n')[0] as string)
  expect(first).toMatchObject({ key: 'visits/a', deleted: false })
  watching.child.kill('SIGINT')
  expect((await watching.ended).status).toBe(130)
  const again = begin(['state', 'watch', 'shop', 'visits/', '--after', `${revision}`, '--data', home.data])
  let past = ''
  again.child.stdout?.on('data', (text: string) => {
    past += text
  })
  await until(() => past.includes('"value":1,'))
  again.child.kill('SIGINT')
  await again.ended
})

test('a namespace is deleted by whoever means it', async () => {
  await state('put', 'attic', 'a', '1')
  const asked = await state('delete', 'attic')
  expect(asked).toMatchObject({ status: 2, stdout: '' })
  expect(asked.stderr).toContain('deletes 1 entry of namespace attic')
  expect(await state('get', 'attic', 'a')).toMatchObject({ stdout: '1\n' })
  expect(await state('delete', 'attic', '--yes')).toMatchObject({ status: 0, stdout: 'namespace attic is deleted\n' })
  expect(await state('get', 'attic', 'a')).toMatchObject({ status: 1 })
})

test('an export has all as of one moment, and says how to check it', async () => {
  const input = JSON.stringify('x'.repeat(900_000))
  for (let i = 0; i < 6; i++) await wayside(['state', 'put', 'large', `key/${i}`, '-', '--data', home.data], { input })
  const { stdout, status } = await state('export', 'large')
  const lines = stdout.trimEnd().split('\n')
  const entries = lines.slice(1, -1)
  expect(status).toBe(0)
  expect(JSON.parse(lines[0] as string)).toMatchObject({ wayside: 'state', v: 1, namespace: 'large' })
  expect(entries.map((line) => JSON.parse(line).key)).toEqual([0, 1, 2, 3, 4, 5].map((i) => `key/${i}`))
  const sha256 = createHash('sha256')
    .update(entries.map((line) => `${line}\n`).join(''))
    .digest('hex')
  expect(JSON.parse(lines.at(-1) as string)).toEqual({ entries: 6, sha256 })
  const empty = (await state('export', 'nothing')).stdout.trimEnd().split('\n')
  expect(empty.map((line) => JSON.parse(line))).toMatchObject([{ namespace: 'nothing' }, { entries: 0 }])
})

test('a value of 20 MiB is kept, given, exported and imported as it was', async () => {
  const file = join(cwd, 'photo.json')
  const text = JSON.stringify('every pixel '.repeat((20 * 2 ** 20) / 12))
  writeFileSync(file, text)
  expect((await state('put', 'album', 'photo', `@${file}`)).status).toBe(0)
  expect((await state('get', 'album', 'photo')).stdout === `${text}\n`).toBe(true)
  const exported = await state('export', 'album')
  const copy = join(cwd, 'album.ndjson')
  writeFileSync(copy, exported.stdout)
  await state('put', 'album', 'photo', '--delete')
  expect(await state('import', copy)).toMatchObject({ status: 0, stdout: expect.stringMatching(/^1 entry, sha256 /) })
  expect((await state('export', 'album')).stdout.split('\n').at(-2)).toBe(exported.stdout.split('\n').at(-2))
})

test.each([
  ['a key that is none', ['get', 'shop', 'a\u0001b'], /key/],
  ['a namespace that is none', ['get', 'Shop!', 'a'], /namespace/],
  ['a namespace of Wayside', ['list', '.invocations'], /for itself/],
  ['no value', ['put', 'shop', 'a'], /--delete/],
  ['a value that is no JSON', ['put', 'shop', 'a', '{'], /E_INPUT/],
  ['a value over its limit', ['put', 'shop', 'a', '@large.json'], /values have up to 33554432/],
  ['a revision that is none', ['watch', 'shop', '--after', 'x'], /whole number/],
])('%s', async (_, args, words) => {
  if (args.includes('@large.json')) writeFileSync(join(cwd, 'large.json'), JSON.stringify('x'.repeat(2 ** 25)))
  const { status, stderr, stdout } = await wayside(['state', ...args, '--data', home.data], { cwd })
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
  expect(stderr).toMatch(words)
})
