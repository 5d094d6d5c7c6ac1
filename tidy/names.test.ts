import { describe, expect, test } from 'vitest'
import { layoutViolations, lockFileViolations, machinePathViolations, nameViolations } from './names.ts'

describe('names', () => {
  test.each([
    'peer/neighbourTable.ts',
    'peer/Neighbour.ts',
    'peer/neighbour_table.ts',
    'peer/Network/x.ts',
    'peer/x.spec.ts',
    'peer/-x.ts',
  ])('%s is not in kebab-case', (path) => {
    expect(nameViolations(path)).toEqual([`${path}: names are in kebab-case`])
  })

  test.each([
    ['peer/utils.ts', 'utils'],
    ['peer/helpers/x.ts', 'helpers'],
    ['peer/common/index.ts', 'common'],
    ['protocol/types.ts', 'types'],
    ['protocol/types.d.ts', 'types'],
    ['peer/util.test.ts', 'util'],
  ])('%s is an attic', (path, name) => {
    expect(nameViolations(path)).toEqual([`${path}: "${name}" says nothing; name it after what it holds`])
  })

  test.each([
    ...['peer/neighbour-table.ts', 'peer/x.test.ts', 'node/x.process.test.ts', 'node/up.world.test.ts', 'README.md'],
    ...['scripts/setup.cjs', 'vitest.config.ts', '.ci/run', 'protocol/vectors/bafyrei2.bin', 'LICENSE-MIT', 'a/x.d.ts'],
  ])('%s is fine', (path) => {
    expect(nameViolations(path)).toEqual([])
  })
})

describe('paths of one machine', () => {
  // Put together here, so that this file does not hold what it plants.
  const planted = [
    ['', 'home', 'ada', 'x.ts'].join('/'),
    ['', 'Users', 'ada'].join('/'),
    ['C:', 'Users', 'ada'].join('\\'),
  ]

  test.each([...planted, ['', 'root', '.npm'].join('/'), ['', 'work', 'main'].join('/')])('%s is caught', (path) => {
    expect(machinePathViolations('docs/a.md', `one\nsee ${path} and so on`)).toEqual([
      'docs/a.md:2: a path of one machine',
    ])
  })

  test.each(['https://example.com/home/ada', './work/x.ts', 'a/root/b', '/usr/bin/env', '/tmp/x', '/homes/x'])(
    '%s is fine',
    (text) => {
      expect(machinePathViolations('docs/a.md', text)).toEqual([])
    },
  )
})

test('a lock file that names a registry is caught', () => {
  const text = JSON.stringify({
    packages: {
      '': { name: 'wayside' },
      'node_modules/a': { version: '1.0.0', integrity: 'sha512-x' },
      'node_modules/b': { version: '1.0.0', resolved: 'https://registry.example.com/b.tgz' },
    },
  })
  expect(lockFileViolations('a/package-lock.json', text)).toEqual([
    'a/package-lock.json: node_modules/b names its registry',
  ])
})

test('a folder outside the layout is caught, and one without a README', () => {
  const paths = ['package.json', '.ci/run', 'peer/README.md', 'peer/x.ts', 'node/x.ts', 'attic/README.md', 'lib/x.ts']
  expect(layoutViolations(paths)).toEqual([
    'node/: has no README.md',
    'attic/: no folder of the layout',
    'lib/: no folder of the layout',
    'lib/: has no README.md',
  ])
})
