import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { decodeValue, encodeValue } from '../protocol/values.ts'
import { bytesOf, limits, outcomeOf, seed, wasm } from '../sandbox/fixture.ts'
import { createSandboxPool } from '../sandbox/pool.ts'
import { createSandbox } from '../sandbox/sandbox.ts'
import { systemClock } from './clock.ts'
import { createSandboxHost } from './sandbox-host.ts'
import { SharedFrames } from './shared-frames.ts'

const foldersOf = (pid: number) =>
  readdirSync(tmpdir())
    .filter((name) => name.startsWith(`wayside-shared-${pid}-`))
    .map((name) => join(tmpdir(), name))

const imageOf = (module: string): Uint8Array => {
  const sandbox = createSandbox({ wasm })
  sandbox.load(module, bytesOf(module), limits.memory_bytes)
  return sandbox.exported(module, limits.memory_bytes) as Uint8Array
}

const host = () => {
  const before = foldersOf(process.pid)
  const sandboxHost = createSandboxHost()
  return { sandboxHost, folder: () => foldersOf(process.pid).find((one) => !before.includes(one)) as string }
}

/** What a function that returns 1 does in a new process: with the image `file`, or with its code where that is asked for. */
const resultIn = async (sandboxHost: ReturnType<typeof createSandboxHost>, file: Uint8Array) => {
  const pool = createSandboxPool({ sandboxHost, clock: systemClock, log: { event() {} } }, { slots: 1, idleMs: 60_000 })
  onTestFinished(() => pool.stop())
  let codeAsked = 0
  const code = () => {
    codeAsked++
    return bytesOf('export default () => 1')
  }
  const { result } = pool.run({
    ...{ party: 'somebody', functionId: 'f', code, image: () => file, exportName: 'default', effects: [] },
    ...{ input: encodeValue(null), seed, limits, journal: [], timeoutMs: 60_000 },
  })
  const outcome = outcomeOf(await result)
  return [outcome.result.ok && decodeValue(outcome.result.value), codeAsked]
}

test('an image that is offered is read where it lies; one that has gone is evaluated instead', async () => {
  const { sandboxHost, folder } = host()
  const image = imageOf('export default () => 1')
  expect(await resultIn(sandboxHost, image)).toEqual([1, 0])
  const withdraw = sandboxHost.offer?.(image)
  expect(await resultIn(sandboxHost, image)).toEqual([1, 0])
  // The bytes are not sent: what stands in the file is what is run.
  chmodSync(folder(), 0o700)
  const [name = ''] = readdirSync(folder())
  chmodSync(folder(), 0o311)
  rmSync(join(folder(), name))
  writeFileSync(join(folder(), name), imageOf('export default () => 2'), { mode: 0o444 })
  expect(await resultIn(sandboxHost, image)).toEqual([2, 0])
  rmSync(join(folder(), name))
  expect(await resultIn(sandboxHost, image)).toEqual([1, 1])
  withdraw?.()
  expect(await resultIn(sandboxHost, image)).toEqual([1, 0])
})

test('what a process that was killed has left there, the next removes; what is another’s it leaves alone', () => {
  const { pid } = spawnSync('true')
  const [left, own] = [pid, process.pid].map((one) => join(tmpdir(), `wayside-shared-${one}-test`)) as [string, string]
  onTestFinished(() => rmSync(own, { recursive: true }))
  for (const folder of [left, own]) {
    mkdirSync(folder)
    writeFileSync(join(folder, 'file'), 'bytes')
    chmodSync(folder, 0o311)
  }
  const folder = new SharedFrames().folder as string
  expect([existsSync(left), existsSync(join(own, 'file')), existsSync(folder)]).toEqual([false, true, true])
})
