import { expect, test } from 'vitest'
import { testCommandViolations } from './commands.ts'

const TESTS = ['peer/call.world.test.ts', 'node/state-level.test.ts']
const found = (text: string) => testCommandViolations('docs/a.md', text, TESTS)

test('a command for tests that are gone is caught, beside one whose tests are there', () => {
  expect(found('| x | `npm test -- peer/call peer/cell` |')).toEqual(['docs/a.md: no test has a path with peer/cell'])
  expect(found('run\n\n    WAYSIDE_SEED=1 npm test -- node/level.test.ts\n')).toEqual([
    'docs/a.md: no test has a path with node/level.test.ts',
  ])
})

test.each(['`npm test -- peer/call node/state-level`', 'npm test -- PATTERN', '`npm test -- --update`', '`npm test`'])(
  '%s is fine',
  (text) => {
    expect(found(text)).toEqual([])
  },
)
