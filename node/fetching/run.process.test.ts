/** The command, agents and a server, each a process of its own: what a developer does. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { freshDirectory, startMesh, type TestAgent, until, wayside } from '../testing/wayside.ts'
import { serve, type TestServer } from './testing/servers.ts'

const SECRET = 'sk_live_51HqLyjWDarjtT1zdp7dc'
const SOURCE = `import type { Fetcher, Secret } from 'wayside'
type Env = { API: Fetcher; KEY: Secret }
export async function read(path: string, { API, KEY }: Env) {
  const response = await API.fetch(ORIGIN + path, { headers: { authorization: 'Bearer ' + KEY } })
  return [response.status, await response.text()]
}
export async function pay(amount: number, { API, KEY }: Env) {
  const headers = { authorization: 'Bearer ' + KEY }
  const response = await API.fetch(ORIGIN + '/pay', { method: 'POST', headers, body: String(amount) })
  console.log('paid with', KEY)
  return [response.status, await response.text()]
}
`

let mesh: TestAgent[]
beforeAll(async () => {
  mesh = await startMesh(3)
  writeFileSync(join(mesh[0]!.data, 'secrets.json'), JSON.stringify({ API_KEY: SECRET }), { mode: 0o600 })
})

/** Says back what it was told. */
const echo = () => serve((request, response) => response.end(`told ${request.headers.authorization}`))

const projectFor = ({ port }: TestServer, grant: object): string => {
  const cwd = freshDirectory()
  const origin = `http://127.0.0.1:${port}`
  mkdirSync(join(cwd, 'src'))
  writeFileSync(join(cwd, 'package.json'), '{"name": "shop", "type": "module"}')
  writeFileSync(join(cwd, 'src', 'index.ts'), `const ORIGIN = '${origin}'\n${SOURCE}`)
  const env = { API: { fetch: [origin], ...grant }, KEY: { secret: 'API_KEY', origin, header: 'authorization' } }
  writeFileSync(join(cwd, 'wayside.json'), JSON.stringify({ name: 'shop', main: 'src/index.ts', env }))
  return cwd
}
const run = (cwd: string, args: string[]) => wayside(['run', ...args, '--remote', '--data', mesh[0]!.data], { cwd })

/** All that is in a folder, but the file that the owner put there. */
const contentsOf = (folder: string): string =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== 'secrets.json')
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n')

describe.each(['self', 'quorum:2'])('at %s', (level) => {
  test('others run it, the home asks once, and its secret is in nothing that anybody keeps or prints', async () => {
    const server = await echo()
    const cwd = projectFor(server, { methods: ['POST'], private: true })
    const receipt = join(cwd, 'receipt')
    const ran = await run(cwd, ['src/index.ts#pay', '5', '--verify', level, '--receipt', receipt, '--json'])
    expect(ran.stderr).not.toMatch(/error/)
    const { value, executors } = JSON.parse(ran.stdout)
    expect(value).toEqual([200, 'told Bearer [secret KEY]'])
    expect(executors[0]).not.toBe(mesh[0]!.status.peer)
    expect(server.asked).toMatchObject([
      { method: 'POST', path: '/pay', body: '5', headers: { authorization: `Bearer ${SECRET}` } },
    ])
    expect(server.asked[0]?.headers['idempotency-key']).toMatch(/^wayside-baf\w+-0$/)
    expect(server.connections()).toBe(1)
    // Offline, from the file alone.
    const verified = await wayside(['verify', receipt])
    expect(verified).toMatchObject({ status: 0 })
    expect(server.connections()).toBe(1)
    const said = [ran.stdout, ran.stderr, readFileSync(receipt, 'latin1'), verified.stdout].join('\n')
    const kept = [said, ...mesh.map(({ data }) => contentsOf(data))].join('\n')
    for (const form of [SECRET, encodeURIComponent(SECRET), Buffer.from(SECRET).toString('base64').slice(0, 36)])
      expect(kept).not.toContain(form)
  })
})

test('a grant that does not say private lets nobody reach this machine, and one that is missing nothing', async () => {
  const server = await echo()
  const closed = await run(projectFor(server, { read: true }), ['src/index.ts#read', '"/a"'])
  expect(closed.status).toBe(1)
  expect(closed.stderr).toMatch(/not public.*"private": true/)
  const post = await run(projectFor(server, { private: true }), ['src/index.ts#pay', '5', '--verify', 'self'])
  expect(post.status).toBe(1)
  expect(post.stderr).toMatch(/POST is not among the methods/)
  expect(server.connections()).toBe(0)
})

test('a secret that others can read is not used; why, the log of the home says alone', async () => {
  const server = await echo()
  const file = join(mesh[0]!.data, 'secrets.json')
  writeFileSync(file, JSON.stringify({ API_KEY: SECRET }))
  chmodSync(file, 0o644)
  const ran = await run(projectFor(server, { private: true, read: true }), ['src/index.ts#read', '"/a"'])
  expect(ran.stderr).toMatch(/env\.KEY: this home cannot read the secret/)
  expect(ran.stderr).not.toMatch(/secrets\.json/)
  await until(() => contentsOf(join(mesh[0]!.data, 'log')).includes('chmod 600'))
  chmodSync(file, 0o600)
  const again = await run(projectFor(server, { private: true, read: true }), ['src/index.ts#read', '"/a"'])
  expect(again).toMatchObject({ status: 0, stdout: '[200,"told Bearer [secret KEY]"]\n' })
})
