import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const PINNED = '24.99.0'

/** Stands in for npm: notes how it was called, then installs a "node" that prints its version, or fails as told. */
const FAKE_NPM = `
const fs = require('node:fs')
fs.appendFileSync('npm-calls', JSON.stringify([process.execPath, ...process.argv.slice(2)]) + '\\n')
if (process.env.FAKE_STDERR) { process.stderr.write(process.env.FAKE_STDERR); process.exit(1) }
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(process.env.FAKE_WAIT_MS ?? 0))
fs.rmSync('node_modules', { recursive: true, force: true })
fs.mkdirSync('node_modules/.bin', { recursive: true })
fs.writeFileSync('node_modules/.bin/node', '#!/bin/sh\\necho ' + (process.env.FAKE_VERSION ?? 'v${PINNED}') + '\\n', { mode: 0o755 })
`

let root = ''
const running: ChildProcess[] = []

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'wayside-setup-'))
  mkdirSync(join(root, 'scripts'))
  copyFileSync(join(import.meta.dirname, 'setup.cjs'), join(root, 'scripts/setup.cjs'))
  writeFileSync(join(root, 'npm-cli.js'), FAKE_NPM)
  writeFileSync(join(root, 'package-lock.json'), '{"lock": 1}')
  writePackage({ [`node-${process.platform}-${process.arch}`]: PINNED })
})

afterEach(async () => {
  const left = running.splice(0).filter((child) => child.exitCode === null && child.signalCode === null)
  const ended = left.map((child) => once(child, 'exit'))
  for (const child of left) child.kill('SIGKILL')
  await Promise.all(ended)
  rmSync(root, { recursive: true, force: true })
})

const writePackage = (optionalDependencies: Record<string, string>, node = '>=22.18') =>
  writeFileSync(join(root, 'package.json'), JSON.stringify({ engines: { node }, optionalDependencies }))

const environment = (extra: Record<string, string> = {}) => ({ npm_execpath: join(root, 'npm-cli.js'), ...extra })

const setUp = (extra?: Record<string, string>) => {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/setup.cjs'], {
    cwd: root,
    encoding: 'utf8',
    env: environment(extra),
  })
  return { status, stderr }
}

/** The same, without waiting for it to end. */
const startSetUp = (extra?: Record<string, string>) => {
  const child = spawn(process.execPath, ['scripts/setup.cjs'], { cwd: root, env: environment(extra) })
  running.push(child)
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const ended = once(child, 'close').then(() => ({ status: child.exitCode, stderr }))
  return { ended, child }
}

const npmCalls = () => {
  const log = join(root, 'npm-calls')
  return existsSync(log)
    ? readFileSync(log, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line))
    : []
}

const until = async (holds: () => boolean) => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10))
}

describe('a fresh checkout', () => {
  test('is installed once, by npm ci on the same Node, from the lock file alone', () => {
    expect(setUp()).toEqual({ status: 0, stderr: 'Installing the npm packages, once for this lock file.\n' })
    expect(setUp()).toEqual({ status: 0, stderr: '' })
    expect(npmCalls()).toEqual([
      [
        process.execPath,
        ...['ci', '--include=dev', '--include=optional', '--ignore-scripts', '--no-audit', '--no-fund'],
        '--loglevel=error',
      ],
    ])
    expect(existsSync(join(root, '.setup-lock'))).toBe(false)
  })

  test('is installed again when the lock file changed, or node_modules is gone', () => {
    setUp()
    writeFileSync(join(root, 'package-lock.json'), '{"lock": 2}')
    setUp()
    rmSync(join(root, 'node_modules'), { recursive: true })
    setUp()
    expect(npmCalls()).toHaveLength(3)
  })

  test('costs little when nothing is to be done', () => {
    setUp()
    const bare = () => spawnSync(process.execPath, ['-e', ''], { env: environment() })
    const timed = (run: () => unknown) => {
      const startedAt = performance.now()
      run()
      return performance.now() - startedAt
    }
    const added = Array.from({ length: 5 }, () => timed(setUp) - timed(bare))
    // Ten times what it takes, and less than npm would.
    expect(Math.min(...added)).toBeLessThan(300)
  })
})

test('a folder with a lock file of its own is installed there, whatever Node it holds', () => {
  const folder = join(root, 'other')
  mkdirSync(folder)
  writeFileSync(join(folder, 'package-lock.json'), '{}')
  writeFileSync(join(folder, 'package.json'), '{}')
  const run = () =>
    spawnSync(process.execPath, ['scripts/setup.cjs', 'other'], { cwd: root, encoding: 'utf8', env: environment() })
  expect([run().status, run().stderr]).toEqual([0, ''])
  expect(existsSync(join(folder, 'node_modules/.setup.json'))).toBe(true)
  expect(existsSync(join(root, 'node_modules'))).toBe(false)
})

describe('two at once', () => {
  test('the second waits, says for whom, and does not install again', async () => {
    const first = startSetUp({ FAKE_WAIT_MS: '700' })
    await until(() => npmCalls().length === 1)
    const second = startSetUp()
    expect(await first.ended).toMatchObject({ status: 0 })
    expect(await second.ended).toEqual({
      status: 0,
      stderr: `Waiting for the set-up that process ${first.child.pid} is running.\n`,
    })
    expect(npmCalls()).toHaveLength(1)
  })

  test('the lock of a killed one is taken over, by one of several', async () => {
    const dead = spawnSync(process.execPath, ['-e', '']).pid
    mkdirSync(join(root, '.setup-lock'))
    writeFileSync(join(root, '.setup-lock/pid'), String(dead))
    const heirs = [1, 2, 3].map(() => startSetUp({ FAKE_WAIT_MS: '200' }))
    for (const heir of heirs) expect(await heir.ended).toMatchObject({ status: 0 })
    expect(npmCalls()).toHaveLength(1)
    expect(existsSync(join(root, '.setup-lock'))).toBe(false)
  })
})

describe('what goes wrong is said in one sentence, and the next start tries again', () => {
  test.each([
    [
      'npm error code ENOTFOUND\nnpm error syscall getaddrinfo',
      'npm could not reach its registry: connect to the network',
    ],
    ['npm error code EAI_AGAIN', 'npm could not reach its registry'],
    ['npm error code ENOTCACHED\nnpm error request failed: cache mode is only-if-cached', 'npm could not reach'],
    ['npm error code ENOSPC\nnpm error no space left on device, write', 'The disk is full: free 1 GB'],
    [
      'npm error code EROFS\nnpm error path /src/wayside/node_modules',
      'Not allowed to write to /src/wayside/node_modules:',
    ],
    ['npm error code EACCES\nnpm error path /var/cache/npm', 'Not allowed to write to /var/cache/npm:'],
    [
      'npm error code EUSAGE\nnpm error Missing: a@1.0.0 from lock file',
      'package-lock.json does not match package.json:',
    ],
    ['npm error code EINTEGRITY\nnpm error sha512-a', 'npm ci failed: npm error code EINTEGRITY'],
  ])('%j', (printed, sentence) => {
    const { status, stderr } = setUp({ FAKE_STDERR: printed })
    expect(status).toBe(1)
    expect(stderr.split('\n')[1]).toContain(`wayside set-up: ${sentence}`)
    expect(existsSync(join(root, '.setup-lock'))).toBe(false)
    expect(setUp()).toMatchObject({ status: 0 })
  })

  test('started without npm', () => {
    expect(setUp({ npm_execpath: '' })).toEqual({
      status: 1,
      stderr: 'wayside set-up: Start this through npm, as in: npm run demo\n',
    })
  })

  test('a pinned Node that is not the one that runs', () => {
    const { status, stderr } = setUp({ FAKE_VERSION: 'v20.0.0' })
    expect(status).toBe(1)
    expect(stderr).toContain(`The pinned Node ${PINNED} does not run here (v20.0.0)`)
    expect(setUp()).toMatchObject({ status: 0 })
  })

  test('no pinned Node for this machine, and its own is too old', () => {
    writePackage({ 'node-plan9-x64': PINNED }, '>=999.1')
    expect(setUp().stderr).toContain(`This machine has Node ${process.version}, and Wayside needs >=999.1`)
  })

  test('no pinned Node for this machine, and its own will do', () => {
    writePackage({ 'node-plan9-x64': PINNED })
    expect(setUp()).toMatchObject({ status: 0 })
  })
})
