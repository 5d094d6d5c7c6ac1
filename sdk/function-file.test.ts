import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkProperty } from '../scripts/test/seed.ts'
import type { SourceBundle } from './function-bundle.ts'
import { functionFile, readFunctionFile } from './function-file.ts'

const name = fc.string({ minLength: 1, maxLength: 20 })
const code = fc.uint8Array({ minLength: 1, maxLength: 50 }).map((bytes) => new Uint8Array(bytes))

const bundles: fc.Arbitrary<SourceBundle> = fc.record(
  {
    tier: fc.constantFrom('javascript' as const, 'webassembly' as const),
    code,
    modules: fc.array(code, { maxLength: 3 }),
    name,
    exports: fc.array(name, { minLength: 1, maxLength: 4 }),
    effects: fc.array(fc.constantFrom('call', 'sleep'), { maxLength: 2 }),
    limits: fc.record({
      fuel: fc.integer({ min: 1 }),
      memoryBytes: fc.integer({ min: 1, max: 1000 }),
      timeoutMs: fc.integer({ min: 1, max: 9 }),
    }),
    verify: fc.constantFrom('none', 'quorum:2'),
    bindings: fc.array(fc.record({ name, kind: fc.constantFrom('state' as const, 'fetch' as const) }), {
      minLength: 1,
      maxLength: 3,
    }),
  },
  { requiredKeys: ['tier', 'code', 'modules', 'name', 'exports', 'effects', 'limits'] },
)

test('what is written is read', async () => {
  await checkProperty(
    'function files',
    fc.property(bundles, (bundle) => {
      expect(readFunctionFile(functionFile(bundle), 'f')).toEqual(bundle)
    }),
    { runs: 100 },
  )
})

test('what is granted is in no file: it is for whoever reads a page', () => {
  const about = { code: Uint8Array.of(1), name: 'f', exports: ['default'], effects: ['get'] }
  const file = functionFile({ ...about, env: { DB: { state: 'secret-plans' } } })
  expect(readFunctionFile(file, 'f')).toMatchObject({ bindings: [{ name: 'DB', kind: 'state' }] })
  expect(new TextDecoder().decode(file)).not.toContain('secret-plans')
})

describe('anything else is refused, with what to do', () => {
  const valid = functionFile({ code: Uint8Array.of(1), name: 'f', exports: ['default'], effects: [] })
  test.each([
    ['nothing', new Uint8Array()],
    ['a source', new TextEncoder().encode('export default (x) => x')],
    ['a page that says 404', new TextEncoder().encode('<!doctype html>')],
    ['half a file', valid.subarray(0, valid.length - 3)],
    ['more than a file', Uint8Array.from([...valid, 0])],
  ])('%s', (_, bytes) => {
    expect(() => readFunctionFile(bytes, '/tile.ts')).toThrow(
      expect.objectContaining({
        code: 'E_BUNDLE',
        message: expect.stringMatching(/^\/tile\.ts is no function file.*CID$/),
      }),
    )
  })
})
