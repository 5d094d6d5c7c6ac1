import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { ReceiptFile } from '../../protocol/records.ts'
import { childrenOf } from '../../scripts/processes.ts'
import { compileWasi } from '../../sdk/bundle/wasm/testing/compile.ts'
import { writeFunctions } from '../testing/functions.ts'
import { begin, freshDirectory, type RunOptions, until, wayside } from '../testing/wayside.ts'

let cwd: string
const run = (args: string[], options: RunOptions = {}) => wayside(['run', ...args], { cwd, ...options })

beforeAll(() => {
  cwd = writeFunctions()
  writeFileSync(join(cwd, 'program.wasm'), compileWasi(PROGRAM))
  writeFileSync(join(cwd, 'torn.wasm'), compileWasi(PROGRAM).subarray(0, 500))
})

const PROGRAM = `
#include <stdio.h>
int main(void) {
  char text[100] = { 0 };
  fread(text, 1, sizeof text - 1, stdin);
  switch (text[0]) {
    case '1': fputs("gave up", stderr); return 9;
    case '2': for (;;);
    case '3': __builtin_trap();
  }
  printf("got %s\\n", text);
}`

describe('without an agent', () => {
  test('a call runs here, says so on stderr, and prints one line of JSON to a pipe', async () => {
    const { status, stdout, stderr } = await run(['hello.ts', '{"name":"Ada"}'])
    expect({ status, stdout }).toEqual({ status: 0, stdout: '{"text":"Hello, Ada"}\n' })
    expect(stderr).toMatch(/no peer in reach: ran in the sandbox of this machine/)
    expect(stderr).toMatch(/hello\.ts says │ greeting Ada/)
  })

  test('the input comes from a file or from stdin', async () => {
    const file = join(freshDirectory(), 'in.json')
    writeFileSync(file, '{"name":"Grace"}')
    expect((await run(['hello.ts', `@${file}`, '--local'])).stdout).toBe('{"text":"Hello, Grace"}\n')
    expect((await run(['hello.ts', '-'], { input: '{"name":"Alan"}' })).stdout).toBe('{"text":"Hello, Alan"}\n')
  })

  test('bytes go to a pipe or a file as they are', async () => {
    const file = join(freshDirectory(), 'out.bin')
    expect(await run(['bytes.ts', '3', '--local', '-o', file])).toMatchObject({ status: 0, stdout: '' })
    expect([...readFileSync(file)]).toEqual([255, 255, 255])
    const { ended, child } = begin(['run', 'bytes.ts', '3', '--local'], { cwd })
    child.stdout?.setEncoding('latin1')
    expect((await ended).stdout).toBe('\u00ff\u00ff\u00ff')
  })

  test('a WASI command is run with its input on stdin; what it writes is printed as it is', async () => {
    expect(await run(['program.wasm', '{"x": [0, "ü"]}'])).toMatchObject({ status: 0, stdout: 'got {"x":[0,"ü"]}\n' })
    const json = await run(['program.wasm', '-', '--local', '--json'], { input: '"hi"' })
    const bytes = Buffer.from('got "hi"\n').toString('base64')
    expect(JSON.parse(json.stdout)).toMatchObject({ value: { '/': { bytes } }, local: true })
  })

  test('--json prints how it came about; --receipt keeps the signed receipts', async () => {
    const file = join(freshDirectory(), 'receipt')
    const { stdout } = await run(['hello.ts', '{"name":"Ada"}', '--local', '--json', '--receipt', file])
    expect(JSON.parse(stdout)).toMatchObject({ value: { text: 'Hello, Ada' }, local: true, executions: 1, liars: [] })
    const verification = { by: 'self', independence: 'none', verifiers: 0 }
    expect(JSON.parse(stdout)).toMatchObject({ verification })
    const kept = ReceiptFile.decode(new Uint8Array(readFileSync(file)))
    expect(kept.receipts).toHaveLength(1)
    expect(kept.verification).toEqual([{ ...verification, executions: 1 }])
  })
})

describe('exit status and error', () => {
  const long = JSON.stringify('x'.repeat(5 * 1024 * 1024))
  const failures: [number, string, RegExp, string[], RunOptions?][] = [
    [1, 'E_FUNCTION_THREW', /TypeError: no luck\n {4}at default \(throws\.ts:2:13\)\n/, ['throws.ts']],
    [1, 'E_FUNCTION_SYNTAX', /broken\.ts/, ['broken.ts']],
    [1, 'E_VALUE', /result\.items\[1\]\.when: Date/, ['date.ts']],
    [1, 'E_FUNCTION_THREW', /program\.wasm says │ gave up\n[\s\S]*9/, ['program.wasm', '1']],
    [1, 'E_FUNCTION_THREW', /never to be reached/, ['program.wasm', '3']],
    [2, 'E_BUNDLE', /torn\.wasm: the file is not a WebAssembly module/, ['torn.wasm']],
    [2, 'E_EXPORT_UNKNOWN', /no export main; it has default/, ['program.wasm#main']],
    [2, 'E_USAGE', /unknown option '--verfiy'[\s\S]*--verify/, ['hello.ts', '--verfiy', 'none']],
    [2, 'E_USAGE', /exclude each other/, ['hello.ts', '--local', '--remote']],
    [2, 'E_USAGE', /--trace has no receipt to go into; give --receipt FILE/, ['hello.ts', '--trace', '1']],
    [2, 'E_USAGE', /nowhere\/out cannot be written/, ['hello.ts', '-o', 'nowhere/out']],
    [2, 'E_BUNDLE', /nowhere\.ts/, ['nowhere.ts']],
    [2, 'E_EXPORT_UNKNOWN', /no export nothing; it has default/, ['hello.ts#nothing']],
    [2, 'E_INPUT', /not valid JSON/, ['hello.ts', '{name:Ada}']],
    [2, 'E_INPUT', /over the limit of 4194304/, ['echo.ts', '-'], { input: long }],
    [2, 'E_CONFIG', /--timeout: expected a DURATION/, ['hello.ts', '--timeout', 'soon']],
    [2, 'E_CONFIG', /WAYSIDE_VERIFY: expected none/, ['hello.ts'], { env: { WAYSIDE_VERIFY: 'always' } }],
    [3, 'E_FUEL_LIMIT', /fuel/, ['spins.ts', '--fuel', '1000000']],
    [3, 'E_FUEL_LIMIT', /fuel/, ['program.wasm', '2', '--fuel', '100000']],
    [3, 'E_MEMORY_LIMIT', /memory/, ['eats.ts']],
    [4, 'E_NO_PEER', /no peer/, ['hello.ts', '--remote']],
    [4, 'E_NO_PEER', /no peer/, ['hello.ts', '--verify', 'quorum:2']],
    [124, 'E_TIMEOUT', /--timeout/, ['spins.ts', '--timeout', '300ms']],
  ]

  test.each(failures)('%i %s: %s', async (exit, code, words, args, options) => {
    const { status, stdout, stderr } = await run(args, options)
    expect(stderr).toMatch(new RegExp(`error ${code}: `))
    expect(stderr).toMatch(words)
    expect(stderr).not.toMatch(/\n {4}at .*node:internal/)
    expect({ status, stdout }).toEqual({ status: exit, stdout: '' })
  })

  test('with --json the error is on stdout too', async () => {
    const { status, stdout } = await run(['throws.ts', '--local', '--json'])
    expect({ status, ...JSON.parse(stdout) }).toEqual({
      status: 1,
      error: { code: 'E_FUNCTION_THREW', message: 'TypeError: no luck', stack: '    at default (throws.ts:2:13)' },
    })
  })

  test('130 E_CANCELLED: Ctrl-C', async () => {
    const { child, ended } = begin(['run', 'spins.ts', '--local'], { cwd })
    // Its sandbox is a process of a process.
    await until(() => childrenOf(child.pid as number).flatMap(childrenOf).length > 0)
    child.kill('SIGINT')
    expect(await ended).toMatchObject({ status: 130, stderr: expect.stringContaining('E_CANCELLED') })
  })

  test.each(['status', 'peers', 'usage', 'pause', 'resume', 'down', 'logs'])(
    '6 E_AGENT_NOT_RUNNING: %s',
    async (command) => {
      const data = freshDirectory()
      const { status, stderr } = await wayside([command, '--data', data])
      expect(status).toBe(6)
      expect(stderr).toContain(`no agent answers in ${data}`)
      expect(stderr).toContain(`wayside up --data ${data}`)
    },
  )
})
