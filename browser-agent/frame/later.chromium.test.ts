/** What the frame loads later than the rest: the part that runs WebAssembly, with the first function that is some. */
import { writeFileSync } from 'node:fs'
import type { HTTPRequest } from 'puppeteer-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect, fn, type Mesh } from '../../node/sdk.ts'
import { freshDirectory, until } from '../../node/testing/wayside.ts'
import { parsed } from '../../scripts/wasm/parsed.ts'
import { functionFile, lend, seesLender, startVisited, type Visited, visit } from './testing/visitor.ts'

const double = fn<(n: number) => number>(functionFile('double.js', 'export default (n) => n * 2'))
/** Writes nothing, which is its result. */
const EMPTY = '(module (memory (export "memory") 1 1) (func (export "_start")))'
const REMOTE = { verify: 'none', remote: true } as const

let visited: Visited
let mesh: Mesh

beforeAll(async () => {
  visited = await startVisited()
  mesh = await connect({ data: visited.agent.data })
})
afterAll(async () => {
  await mesh?.close()
  await visited?.close()
})

const writeProgram = (): string => {
  const path = `${freshDirectory()}/empty.wasm`
  writeFileSync(path, parsed(EMPTY))
  return path
}

test('it is not run when it was tampered with or does not come: only what needs it fails, and runs once it comes', async () => {
  const empty = fn<(n: null) => Uint8Array>(writeProgram())
  const { page, frame } = await visit(visited)
  const asked: string[] = []
  const changes: ((request: HTTPRequest) => Promise<void>)[] = [
    (request) => request.respond({ contentType: 'text/javascript', body: 'export const openProgram = () => 0' }),
    (request) => request.abort(),
  ]
  let change: (request: HTTPRequest) => Promise<void>
  await page.setRequestInterception(true)
  page.on('request', (request) => {
    const isTier = request.url().includes('/wayside-tier-')
    if (isTier) asked.push(request.url())
    void (isTier ? change(request) : request.continue())
  })
  await lend(page, frame)
  await until(() => seesLender(visited))
  expect(await mesh.call(double, 1, REMOTE)).toBe(2)
  expect(asked).toEqual([])
  for (change of changes) {
    const before = asked.length
    await expect(mesh.call(empty, null, { ...REMOTE, timeoutMs: 30_000 })).rejects.toMatchObject({
      code: 'E_INCONCLUSIVE',
      message: expect.stringContaining('what runs WebAssembly did not load: '),
    })
    // The run has ended by then; the page asks in a turn of its own.
    await until(() => asked.length > before)
    expect(await mesh.call(double, 2, REMOTE)).toBe(4)
  }
  change = (request) => request.continue()
  await until(
    async () => (await mesh.call(empty, null, { ...REMOTE, timeoutMs: 30_000 }).catch(() => undefined)) !== undefined,
  )
  expect(await mesh.call(empty, null, REMOTE)).toEqual(new Uint8Array(0))
  await page.close()
})
