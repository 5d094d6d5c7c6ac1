import { appendFileSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { randomFor } from '../../scripts/test/seed.ts'
import { writeFunctions } from '../testing/functions.ts'
import { begin, freshDirectory, type RunOptions, startMesh, until, wayside } from '../testing/wayside.ts'

let cwd: string
let data: string
const map = (args: string[], options: RunOptions = {}) => wayside(['map', ...args], { cwd, ...options })
const parse = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))

beforeAll(async () => {
  cwd = writeFunctions()
  data = (await startMesh(2))[0]!.data
})

describe('inputs', () => {
  test('of a range, in their order', async () => {
    const { status, stdout, stderr } = await map(['square.ts', '--range', '-2..20', '--data', data])
    expect(parse(stdout)).toEqual(Array.from({ length: 23 }, (_, index) => ({ index, value: (index - 2) ** 2 })))
    expect(status).toBe(0)
    expect(stderr).toMatch(/23 items in .* on 1 executor · none failed/)
  })

  test('of lines: an item that fails stops nothing, and makes the exit status 1', async () => {
    const input = '2\n\n3\nnot json\n{"/":{"bytes":"AAE"}}'
    const { status, stdout, stderr } = await map(['odd.ts', '-', '--data', data], { input })
    expect(parse(stdout)).toEqual([
      { index: 0, value: 2 },
      { index: 1, error: { code: 'E_FUNCTION_THREW', message: expect.stringContaining('3 is odd') } },
      { index: 2, error: { code: 'E_INPUT', message: expect.stringMatching(/^line 4 of stdin: not valid JSON/) } },
      { index: 3, value: { '/': { bytes: 'AAE=' } } },
    ])
    expect(status).toBe(1)
    expect(stderr).toMatch(/2 failed[\s\S]*first failure .*3 is odd.*\n {4}at default \(odd\.ts:1:54\)\n/)
  })

  test('of files, here alone and unordered', async () => {
    const { stdout, stderr } = await map(['echo.ts', '--local', '--unordered', '--files', 'square.ts', 'odd.ts'])
    const items = parse(stdout).toSorted((a, b) => a.index - b.index)
    expect(items.map(({ value }) => value.name)).toEqual(['square.ts', 'odd.ts'])
    expect(Buffer.from(items[0].value.bytes['/'].bytes, 'base64')).toEqual(readFileSync(join(cwd, 'square.ts')))
    expect(stderr).toMatch(/2 items in .* in the sandbox of this machine/)
  })

  test('--fail-fast ends with the first item that fails', async () => {
    const { status, stdout } = await map(['odd.ts', '--range', '0..1000', '--fail-fast', '--data', data])
    expect(parse(stdout).map(({ index }) => index)).toEqual([0, 1])
    expect(status).toBe(1)
  })

  test.each([
    [['square.ts'], /give the inputs once/],
    [['square.ts', '-', '--range', '0..1'], /give the inputs once/],
    [['square.ts', '--range', '5..1'], /5\.\.1 is no range/],
    [['square.ts', '--files', 'nowhere'], /nowhere does not exist/],
    [['square.ts', '--range', '0..1', '--resume'], /--resume goes on with the file of -o/],
    [['square.ts', '-', '--resume', '-o', 'x'], /stdin cannot be resumed/],
  ])('misuse is exit 2: %j', async (args, words) => {
    const { status, stdout, stderr } = await map([...args, '--local'])
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toMatch(/error E_USAGE/)
    expect(stderr).toMatch(words)
  })
})

describe('--resume', () => {
  const COUNT = 300

  test('leaves every index exactly once, though killed at 20 random moments', async () => {
    const random = randomFor('kill')
    const file = join(freshDirectory(), 'out.ndjson')
    const inputs = join(freshDirectory(), 'in.ndjson')
    writeFileSync(inputs, Array.from({ length: COUNT }, (_, n) => `${n}\n`).join(''))
    const args = ['slow.ts', inputs, '-o', file, '--verify', 'none', '--data', data]
    const linesNow = () => (existsSync(file) ? readFileSync(file, 'latin1').split('\n').length - 1 : 0)
    let torn = 0
    let grew = 0
    for (let kill = 0; kill < 20; kill++) {
      const before = linesNow()
      const { child, ended } = begin(['map', ...args, '--resume'], { cwd })
      // A quarter of the kills hit the start-up, wherever it is; the others hit the writing.
      if (random.below(4) > 0) await until(() => linesNow() > before || child.exitCode !== null)
      await Promise.race([sleep(random.below(300)), ended])
      child.kill('SIGKILL')
      await ended
      if (linesNow() > before) grew++
      // What a crash of the machine leaves of a line is torn anywhere.
      if (linesNow() > 0 && random.below(2) === 0) {
        appendFileSync(file, '{"index":299,"value":12'.slice(0, 1 + random.below(22)))
        torn++
      }
    }
    expect(torn).toBeGreaterThan(0)
    expect(grew).toBeGreaterThan(2)
    const { status, stderr } = await map([...args, '--resume'])
    expect({ status, stderr: stderr.includes('error') }).toEqual({ status: 0, stderr: false })
    const found = parse(readFileSync(file, 'utf8'))
    expect(found.map(({ index }) => index)).toEqual(Array.from({ length: COUNT }, (_, index) => index))
    const whole = await map(['slow.ts', inputs, '--verify', 'none', '--data', data])
    expect(readFileSync(file, 'utf8')).toBe(whole.stdout)
  })

  test('refuses another function, input or limits, and nothing is lost', async () => {
    const file = join(freshDirectory(), 'out.ndjson')
    const inputs = join(freshDirectory(), 'in.ndjson')
    writeFileSync(inputs, '1\n2\n')
    const args = (name: string, ...more: string[]) => [name, inputs, '-o', file, '--local', ...more]
    expect((await map(args('square.ts'))).status).toBe(0)
    const written = readFileSync(file, 'utf8')
    const refused = async (what: string, ...given: string[]) => {
      const { status, stderr } = await map([...given, '--resume'])
      expect(stderr).toMatch(`error E_RESUME: ${file} was begun with another ${what}`)
      expect({ status, written: readFileSync(file, 'utf8') }).toEqual({ status: 2, written })
    }
    await refused('function', ...args('odd.ts'))
    await refused('limits', ...args('square.ts', '--fuel', '123456789'))
    writeFileSync(inputs, '1\n3\n')
    await refused('input', ...args('square.ts'))
  })

  test('an unfinished file is not written over by accident; a finished one is', async () => {
    const file = join(freshDirectory(), 'out.ndjson')
    const args = ['square.ts', '--range', '0..3', '-o', file, '--local']
    await map(args)
    const { size } = statSync(file)
    expect((await map(args)).status).toBe(0)
    expect(statSync(file).size).toBe(size)
    await map(['odd.ts', '--range', '0..3', '-o', file, '--local', '--fail-fast'])
    const { status, stderr } = await map(args)
    expect({ status, stderr: stderr.trim() }).toEqual({
      status: 2,
      stderr: expect.stringMatching(/E_RESUME.*not finished.*--resume/),
    })
    rmSync(file)
    expect((await map(args)).status).toBe(0)
  })
})
