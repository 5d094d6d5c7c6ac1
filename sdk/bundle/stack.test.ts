import { expect, test } from 'vitest'
import { bundle } from './bundle.ts'
import { evaluate } from './evaluate.ts'
import { sourcePositions } from './stack.ts'
import { temporaryProject } from './temporary-project.ts'

test("leads a guest's stack back to the sources", async () => {
  const cwd = temporaryProject({
    'src/main.ts':
      'import { fail } from "../lib/fail.ts"\ninterface Long { a: 1 }\n\nexport default function top(x: Long) {\n  return fail(x)\n}\n',
    'lib/fail.ts': '// one\n// two\nexport const fail = (x: unknown): never => {\n  throw new Error(String(x))\n}\n',
  })
  const { code, map } = await bundle('src/main.ts', { cwd })
  const stack = await evaluate(code, '{ try { module.default(1) } catch (error) { return error.stack } }')
  const shown = sourcePositions(String(stack), map, 'function', cwd)
  expect(shown).toMatch(/at fail \(lib\/fail\.ts:4:\d+\)\n +at top \(src\/main\.ts:5:\d+\)\n/)
})

test('leaves alone what has no source', () => {
  const map = '{"version":3,"sources":[],"sourceRoot":"/x","names":[],"mappings":""}'
  expect(sourcePositions('at f (function:1:1)', map, 'function')).toBe('at f (function:1:1)')
})
