import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { findProject, parseProject, readProject } from './project-file.ts'
import { temporaryProject } from './temporary-project.ts'

const EXAMPLE = `{ "$schema": "./node_modules/wayside/schema.json", "name": "shop", "main": "src/index.ts", "verify": "audit",
  "limits": { "fuel": 1000000000, "memory": "64MiB", "timeout": "30s" },
  "env": { "DB": { "state": "shop" }, "API": { "fetch": ["https://api.example.com"] }, "KEY": { "secret": "API_KEY" } } }`

test('the example of the design is read', () => {
  expect(parseProject(EXAMPLE, 'wayside.json')).toEqual({
    name: 'shop',
    main: 'src/index.ts',
    verify: 'audit',
    limits: { fuel: 1_000_000_000, memoryBytes: 67_108_864, timeoutMs: 30_000 },
    env: {
      DB: { state: 'shop' },
      API: { fetch: ['https://api.example.com'] },
      KEY: { secret: 'API_KEY', origin: 'https://api.example.com', header: 'Authorization' },
    },
  })
})

test('the example of the page on effects is read', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/EFFECTS.md'), 'utf8')
  const [, json = ''] = /```json\n(.*?)```/s.exec(page) ?? []
  expect(Object.keys(parseProject(json, 'wayside.json').env ?? {})).toEqual(['DB', 'API', 'KEY'])
})

test('everything is optional', () => {
  expect(parseProject('{}', 'wayside.json')).toEqual({})
  expect(readProject(temporaryProject({}), '/')).toEqual({})
})

const BINDING =
  'expected {"state": NAMESPACE}, {"fetch": [ORIGIN]} or {"secret": NAME, "origin": ORIGIN, "header": NAME}; found Object'

describe('refused, by file and key', () => {
  test.each([
    [{ limitz: 1 }, 'limitz is not a key of wayside.json; remove it'],
    [{ limits: { cpu: 1 } }, 'limits.cpu is not a key of wayside.json; remove it'],
    [{ triggers: [] }, 'triggers is reserved for a later version of wayside; remove it'],
    [{ routes: {} }, 'routes is reserved for a later version of wayside; remove it'],
    [{ name: '' }, 'name: '],
    [{ name: 7 }, 'name: expected string; found 7'],
    [{ verify: 'quorum:0' }, 'verify: expected none, audit, self or quorum:N; found "quorum:0"'],
    [{ limits: { fuel: 1.5 } }, 'limits.fuel: expected a whole number; found 1.5'],
    [{ limits: { fuel: 1e13 } }, 'limits.fuel: expected at most 1000000000000; found '],
    [{ limits: { memory: '64MB' } }, 'limits.memory: expected a SIZE such as "64MiB"; found "64MB"'],
    [{ limits: { memory: '1MiB' } }, 'limits.memory: expected between 16MiB and 2048MiB; found "1MiB"'],
    [{ limits: { timeout: '25h' } }, 'limits.timeout: expected at most 24h; found "25h"'],
    [{ limits: { timeout: 30 } }, 'limits.timeout: expected string; found 30'],
    [{ env: { DB: { kv: 'x' } } }, `env.DB: ${BINDING}`],
    [{ env: { DB: { state: 'x', more: 1 } } }, `env.DB: ${BINDING}`],
    [{ env: { DB: { state: '.outbox' } } }, 'env.DB.state: expected a namespace'],
    [{ env: { DB: { state: 'x', prefix: '\n' } } }, 'env.DB.prefix: expected the beginning of a key'],
    [{ env: { KEY: { secret: 'K' } } }, 'env.KEY: say its "origin": it goes to one only'],
    [{ env: { 'D-B': { state: 'x' } } }, 'env.D-B: expected an identifier, as in env.DB; found "D-B"'],
    [{ env: { A: { fetch: ['https://a/path'] } } }, 'env.A.fetch.0: expected an origin such as'],
  ])('%j', (written, message) => {
    const read = () => parseProject(JSON.stringify(written), 'shop/wayside.json')
    expect(read).toThrow(expect.objectContaining({ code: 'E_CONFIG' }))
    expect(read).toThrow(`shop/wayside.json: ${message}`)
  })

  test.each([
    ['{"name":', 'wayside.json is not JSON: '],
    ['[]', 'wayside.json holds no object; write {} or remove it'],
    ['null', 'wayside.json holds no object; write {} or remove it'],
  ])('%s', (json, message) => {
    expect(() => parseProject(json, 'wayside.json')).toThrow(message)
  })
})

test('the project is the nearest folder with package.json or wayside.json', () => {
  const folder = temporaryProject({
    'package.json': '{}',
    'a/wayside.json': '{"name":"a"}',
    'a/b/x.ts': '',
    'c/x.ts': '',
  })
  expect(findProject(join(folder, 'a/b'))).toBe(join(folder, 'a'))
  expect(findProject(join(folder, 'c'))).toBe(folder)
  expect(readProject(join(folder, 'a'), folder)).toEqual({ name: 'a' })
})
