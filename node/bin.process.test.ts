import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { transform } from 'esbuild'
import { expect, test } from 'vitest'
import { VERSION } from './version.ts'

const BIN = fileURLToPath(new URL('../bin/wayside.js', import.meta.url))

/** Runs the command under a Node that says it is of another version. */
const runAs = (version: string, args: string[]) => {
  const pretend = `Object.defineProperty(process.versions, 'node', { value: '${version}' }); Object.defineProperty(process, 'version', { value: 'v${version}' })`
  return spawnSync(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(pretend)}`, BIN, ...args],
    {
      encoding: 'utf8',
    },
  )
}

test.each(['12.22.9', '20.20.2', '22.17.1'])('Node %s is refused in one line that says what to do', (version) => {
  const { status, stdout, stderr } = runAs(version, ['--version'])
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
  expect(stderr.trimEnd().split('\n')).toHaveLength(1)
  expect(stderr).toContain(`22.18 or newer, and this is v${version}`)
  expect(stderr).toContain('install Node.js 24')
})

test.each(['22.18.0', '23.0.0', '100.1.0'])('Node %s is taken', (version) => {
  expect(runAs(version, ['--version'])).toMatchObject({ status: 0, stdout: `${VERSION}\n`, stderr: '' })
})

test('Node 12 can read the file: nothing in it has to be translated for it', async () => {
  const source = readFileSync(BIN, 'utf8')
  const as = async (target: string) => (await transform(source, { target, format: 'esm' })).code
  expect(await as('node12.20')).toBe(await as('esnext'))
  expect(source).not.toMatch(/^import /m)
})
