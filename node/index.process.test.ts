import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { type LendOptions, lend } from './index.ts'
import { connect, fn } from './sdk.ts'
import { freshDirectory, wayside } from './testing/wayside.ts'

const HELLO = join(import.meta.dirname, '../examples/hello/hello.ts')

const open = async (options: LendOptions = {}) => {
  const data = freshDirectory()
  const lent = await lend({ data, cpus: 1, listen: ['/ip4/127.0.0.1/tcp/0'], ...options })
  onTestFinished(() => lent.close())
  return { data, lent }
}

test('a program lends this machine, and another uses it', async () => {
  const { lent } = await open()
  const { peer, ticket } = await lent.status()
  await using mesh = await connect({ join: [ticket!] })
  const hello = fn<(input: { name: string }) => { text: string }>(HELLO)
  const { value, receipt } = await mesh.call(hello, { name: 'Ada' }, { remote: true, receipt: true })
  expect([value, receipt.executors[0], receipt.local]).toEqual([{ text: 'Hello, Ada' }, peer, false])
  const again = () => mesh.call(hello, { name: 'Ada' }, { remote: true }).catch((error) => error.code)
  lent.pause()
  await expect.poll(again).toBe('E_NO_PEER')
  lent.resume()
  await expect.poll(again).toEqual({ text: 'Hello, Ada' })
})

test('a second program finds the data directory taken, and `wayside down` ends the first', async () => {
  const { data } = await open()
  await expect(lend({ data })).rejects.toMatchObject({ code: 'E_DATA_DIR_TAKEN' })
  expect(await wayside(['down', '--data', data])).toMatchObject({ status: 0 })
  await using again = await lend({ data, listen: ['/ip4/127.0.0.1/tcp/0'] })
  expect((await again.status()).data).toBe(data)
})

test('what it cannot understand it refuses', async () => {
  await expect(lend({ cpus: 0.5 })).rejects.toMatchObject({ code: 'E_CONFIG' })
  await expect(lend({ memory: 'much' })).rejects.toMatchObject({ code: 'E_CONFIG' })
})
