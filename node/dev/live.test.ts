import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { MeshError } from '../../protocol/errors.ts'
import { temporaryProject } from '../../sdk/bundle/temporary-project.ts'
import { Live } from './live.ts'

/** Made of the texts of main.txt and whatever files it names. */
const start = async (files: Record<string, string>) => {
  const folder = temporaryProject(files)
  const path = (name: string) => join(folder, name)
  const changes: string[] = []
  let makings = 0
  const read = (name: string): string => {
    try {
      return readFileSync(path(name), 'utf8')
    } catch {
      throw new MeshError('E_BUNDLE', { message: `no ${name}`, file: path('main.txt'), import: `./${name}` })
    }
  }
  const live = await Live.start<{ text: string }>({
    entry: path('main.txt'),
    make: async () => {
      makings++
      const names = read('main.txt').split(' ')
      return { made: { text: names.map(read).join() }, files: names.map(path) }
    },
    changed: (now) => void changes.push(now instanceof MeshError ? now.message : now.text),
  })
  onTestFinished(() => live.close())
  const write = (name: string, text: string) => writeFileSync(path(name), text)
  const until = async (text: string) => {
    const endMs = performance.now() + 20_000
    while (changes.at(-1) !== text) {
      if (performance.now() > endMs) expect(changes).toEqual([text])
      await sleep(5)
    }
  }
  return { live, path, changes, write, until, makings: () => makings }
}

test('a file that is saved, by writing or by renaming, is made again; another file is not', async () => {
  const { live, path, changes, write, until, makings } = await start({ 'main.txt': 'a b', a: '1', b: '2' })
  expect([live.current, changes]).toEqual([{ text: '1,2' }, ['1,2']])
  write('a', '3')
  await until('3,2')
  write('new', '4')
  renameSync(path('new'), path('b'))
  await until('3,4')
  const before = makings()
  write('other', '5')
  await sleep(100)
  expect(makings()).toBe(before)
  expect(live.current).toEqual({ text: '3,4' })
})

test('files that come to be part of it are looked at too', async () => {
  const { write, until } = await start({ 'main.txt': 'a', a: '1', 'lib/c': '3' })
  write('main.txt', 'a lib/c')
  await until('1,3')
  write('lib/c', '4')
  await until('1,4')
})

test('what cannot be made is mended by any file, also one in a folder that was not there', async () => {
  const { live, path, write, until } = await start({ 'main.txt': 'a lib/c', a: '1' })
  expect(live.current).toMatchObject({ code: 'E_BUNDLE', message: 'no lib/c' })
  mkdirSync(path('lib'))
  await sleep(50)
  write('lib/c', '3')
  await until('1,3')
  write('main.txt', 'a d')
  await until('no d')
  write('d', '5')
  await until('1,5')
})

test('whatever is saved last counts, however fast', async () => {
  const { write, until } = await start({ 'main.txt': 'a', a: '0' })
  for (let i = 1; i <= 200; i++) write('a', String(i))
  await until('200')
})
