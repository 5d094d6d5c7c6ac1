import { describe, expect, test } from 'vitest'
import { type ErrorCode, MeshError } from '../protocol/errors.ts'
import { INPUT_BYTES_MAX } from '../protocol/limits.ts'
import type { Outcome } from '../protocol/outcome.ts'
import type { CallOptions } from './call-options.ts'
import { type Answer, CID_TEXT, FakeBackend, FakeHost, okOutcome, outcomeOf } from './fake-backend.ts'
import { fn } from './fn.ts'
import { BackedMesh } from './mesh.ts'

const open = (answer?: Answer) => {
  const backend = new FakeBackend(answer)
  const host = new FakeHost()
  return { backend, host, mesh: new BackedMesh(host, backend) }
}

const echo = fn<(input: unknown) => unknown>('./echo.ts')
const failsWith = (code: ErrorCode, message: RegExp | string = '') =>
  expect.objectContaining({ code, message: expect.stringMatching(message) })

const silent: Answer = () => new Promise(() => {})

describe('call', () => {
  test('sends the input and returns the value', async () => {
    const { mesh, backend } = open()
    expect(await mesh.call(echo, { a: [1n, null, new Uint8Array([7])] })).toEqual({
      a: [1n, null, new Uint8Array([7])],
    })
    expect(backend.calls).toMatchObject([
      { function: CID_TEXT, export: 'default', timeoutMs: 300_000, remote: false, receipt: false },
    ])
    expect(backend.calls[0]?.verify).toBeUndefined()
    expect(backend.calls[0]?.limits).toBeUndefined()
  })

  test('passes its options on', async () => {
    const { mesh, backend } = open()
    const limits = { memoryBytes: 32 * 1024 * 1024 }
    await mesh.call(echo, 1, { verify: 'quorum:3', timeoutMs: 50, limits, remote: true })
    expect(backend.calls).toMatchObject([
      {
        verify: 'quorum:3',
        timeoutMs: 50,
        remote: true,
        limits: { fuel: 5, memory_bytes: 32 * 1024 * 1024, output_bytes: 100 },
      },
    ])
  })

  test('bundles a source once, whatever is called of it', async () => {
    const { mesh, backend, host } = open()
    const other = fn<(input: number) => number>('./echo.ts', { export: 'other' })
    await Promise.all([mesh.call(echo, 1), mesh.call(echo, 2), mesh.call(other, 3)])
    await mesh.call(fn('./echo.ts'), 4)
    expect(host.sources).toEqual(['./echo.ts'])
    expect(backend.published).toHaveLength(1)
    expect(backend.calls.map((call) => call.export)).toEqual(['default', 'default', 'other', 'default'])
  })

  test('hands a URL to the bundler as a URL', async () => {
    const { mesh, host } = open()
    await mesh.call(fn(new URL('file:///a/b.ts#c')), 1)
    expect(host.sources).toEqual([new URL('file:///a/b.ts')])
  })

  test('bundles nothing for a CID', async () => {
    const { mesh, host, backend } = open()
    await mesh.call(fn(`${CID_TEXT}#visit`), 1, { limits: { fuel: 9 } })
    expect(host.sources).toEqual([])
    expect(backend.calls).toMatchObject([
      { function: CID_TEXT, export: 'visit', limits: { fuel: 9, output_bytes: 100 } },
    ])
  })

  test('bundles again after a failure', async () => {
    const { mesh, host } = open()
    host.failure = new MeshError('E_FUNCTION_SYNTAX', 'echo.ts:1:1: no')
    await expect(mesh.call(echo, 1)).rejects.toEqual(failsWith('E_FUNCTION_SYNTAX', 'echo.ts:1:1'))
    expect(await mesh.call(echo, 1)).toBe(1)
  })

  test('takes level and timeout from wayside.json, unless they are given', async () => {
    const { mesh, host, backend } = open()
    host.verify = 'quorum:2'
    host.timeoutMs = 1000
    await mesh.call(echo, 1)
    await mesh.call(echo, 1, { verify: 'none', timeoutMs: 5 })
    expect(backend.calls).toMatchObject([
      { verify: 'quorum:2', timeoutMs: 1000 },
      { verify: 'none', timeoutMs: 5 },
    ])
    expect(backend.published[0]?.limits.fuel).toBe(11)
  })

  test('refuses a function that needs what this version does not serve', async () => {
    const { mesh, host } = open()
    host.effects = ['call', 'state']
    await expect(mesh.call(echo, 1)).rejects.toEqual(
      failsWith('E_CONFIG', /requests state, which this version does not serve/),
    )
  })

  test('grants what wayside.json says, or what the caller says instead', async () => {
    const { mesh, host, backend } = open()
    host.env = { DB: { state: 'shop' }, KEY: { secret: 'K', origin: 'https://a.example', header: 'X' } }
    host.effects = ['get', 'list']
    await mesh.call(echo, 1)
    await mesh.call(echo, 1, { grants: { DB: { state: 'other', access: 'read' } } })
    expect(backend.published[0]?.env).toEqual([
      { name: 'DB', kind: 'state' },
      { name: 'KEY', kind: 'secret' },
    ])
    expect(backend.calls.map(({ grants }) => grants)).toEqual([host.env, { DB: { state: 'other', access: 'read' } }])
    const wrong = mesh.call(echo, 1, { grants: { DB: { state: 'Shop' } } })
    await expect(wrong).rejects.toEqual(failsWith('E_USAGE', /^grants.DB.state: expected a namespace/))
  })

  test('of a CID grants nothing but what the caller says', async () => {
    const { mesh, backend } = open()
    const known = fn<(x: number) => number>(CID_TEXT)
    await mesh.call(known, 1)
    await mesh.call(known, 1, { grants: { DB: { state: 'shop' } } })
    expect(backend.calls.map(({ grants }) => grants)).toEqual([undefined, { DB: { state: 'shop' } }])
  })

  test('gives the receipt that is asked for', async () => {
    const { mesh } = open()
    const { value, receipt } = await mesh.call(echo, 1, { receipt: true })
    expect(value).toBe(1)
    expect(receipt).toEqual({
      file: Uint8Array.of(1),
      executors: ['one', 'two'],
      local: false,
      verification: { by: 'none', independence: 'none', verifiers: 0 },
      executions: 3,
      recovered: 1,
      fuel: 7,
      memoryBytes: 9,
      console: [{ level: 'log', text: 'said' }],
      disputes: [],
    })
  })
})

describe('what goes wrong', () => {
  test.each<[string, unknown, ErrorCode, RegExp]>([
    ['a Date', { items: [1, 2, 3, { when: new Date() }] }, 'E_VALUE', /^input\.items\[3\]\.when: Date/],
    ['NaN', NaN, 'E_VALUE', /^input: NaN/],
    ['too many bytes', new Uint8Array(INPUT_BYTES_MAX), 'E_INPUT', /^the input has \d+ bytes, over the limit/],
  ])('an input with %s is refused before anything is bundled or sent', async (_, input, code, message) => {
    const { mesh, backend, host } = open()
    await expect(mesh.call(echo, input)).rejects.toEqual(failsWith(code, message))
    expect([backend.calls, host.sources]).toEqual([[], []])
  })

  const thrown: Outcome = outcomeOf({
    ok: false,
    code: 'E_FUNCTION_THREW',
    message: 'no tea',
    stack: 'at function.js:1:1',
  })

  test('an error of the function has its message, its stack in the sources, and what it said', async () => {
    const call = open(() => thrown).mesh.call(echo, 1)
    const error = (await call.catch((cause) => cause)) as MeshError
    expect(error).toBeInstanceOf(MeshError)
    expect(error).toMatchObject({ code: 'E_FUNCTION_THREW', message: 'no tea', blame: 'function' })
    expect(error.fields).toEqual({
      message: 'no tea',
      stack: 'at f.ts:9:9',
      console: [{ level: 'log', text: 'said' }],
    })
  })

  test('it too comes with the receipt that is asked for', async () => {
    const call = open(() => thrown).mesh.call(echo, 1, { receipt: true })
    const error = (await call.catch((cause) => cause)) as MeshError
    expect(error.fields.receipt).toMatchObject({ file: Uint8Array.of(1), executors: ['one', 'two'] })
  })

  test.each<[string, object, ErrorCode, RegExp]>([
    ['an unknown option', { timeout: 5 }, 'E_USAGE', /unknown option timeout; there are verify, timeoutMs/],
    ['an unknown limit', { limits: { memory: 5 } }, 'E_USAGE', /unknown option limits\.memory; there are limits\.fuel/],
    ['an unknown level', { verify: 'twice' }, 'E_USAGE', /level twice/],
    [
      'a trace without a receipt',
      { traceTicks: 5 },
      'E_USAGE',
      /traceTicks has no receipt to go into; give receipt: true/,
    ],
    ['no ticks', { receipt: true, traceTicks: 0 }, 'E_USAGE', /traceTicks is 0; use an integer from 1 to 100000000/],
    ['no time', { timeoutMs: 0 }, 'E_USAGE', /timeoutMs is 0; use an integer from 1/],
    ['half a step of fuel', { limits: { fuel: 0.5 } }, 'E_USAGE', /limits\.fuel is 0\.5/],
    ['memory the engine cannot start in', { limits: { memoryBytes: 1 } }, 'E_USAGE', /limits\.memoryBytes is 1;/],
    ['a signal that is none', { signal: {} }, 'E_USAGE', /signal is no AbortSignal/],
  ])('%s', async (_, options, code, message) => {
    const { mesh, backend } = open()
    await expect(mesh.call(echo, 1, options as CallOptions & { receipt?: false })).rejects.toEqual(
      failsWith(code, message),
    )
    expect(() => mesh.map(echo, [1], options)).toThrow(failsWith(code, message))
    expect(backend.calls).toEqual([])
  })

  test('a function in place of a reference to one', async () => {
    const given = (() => 1) as unknown as typeof echo
    await expect(open().mesh.call(given, 1)).rejects.toEqual(failsWith('E_USAGE', /make one with fn\(/))
  })
})

describe('ending', () => {
  test('a signal cancels the call', async () => {
    const { mesh, backend } = open(silent)
    const controller = new AbortController()
    const call = mesh.call(echo, 1, { signal: controller.signal })
    await expect.poll(() => backend.calls.length).toBe(1)
    controller.abort()
    await expect(call).rejects.toEqual(failsWith('E_CANCELLED'))
  })

  test('a signal that came earlier lets nothing be sent', async () => {
    const { mesh, backend } = open()
    await expect(mesh.call(echo, 1, { signal: AbortSignal.abort() })).rejects.toEqual(failsWith('E_CANCELLED'))
    expect(backend.calls).toEqual([])
  })

  test('a bundler that fails when nobody waits for it any more disturbs nobody', async () => {
    const { mesh, host } = open()
    host.failure = new MeshError('E_FUNCTION_SYNTAX', 'echo.ts:1:1: no')
    await expect(mesh.call(echo, 1, { signal: AbortSignal.abort() })).rejects.toEqual(failsWith('E_CANCELLED'))
    expect(await mesh.call(echo, 1)).toBe(1)
  })

  test('a signal cancels the wait for the bundler, not the bundling that others wait for', async () => {
    const { mesh } = open()
    const controller = new AbortController()
    const [first, second] = [mesh.call(echo, 1, { signal: controller.signal }), mesh.call(echo, 2)]
    controller.abort()
    await expect(first).rejects.toEqual(failsWith('E_CANCELLED'))
    expect(await second).toBe(2)
  })

  test('close cancels what is under way, closes the backend once, and ends the mesh', async () => {
    const { mesh, backend } = open(silent)
    const call = mesh.call(echo, 1).catch((cause) => cause)
    const items = mesh.map(echo, [1, 2])
    const item = items.next().catch((cause) => cause)
    await expect.poll(() => backend.calls.length).toBe(3)
    await Promise.all([mesh.close(), mesh.close()])
    expect(backend.closed).toBe(1)
    expect([await call, await item]).toEqual([failsWith('E_CANCELLED'), failsWith('E_CANCELLED')])
    await expect(mesh.call(echo, 1)).rejects.toEqual(failsWith('E_USAGE', /closed; connect\(\) again/))
    expect(() => mesh.map(echo, [1])).toThrow(failsWith('E_USAGE', /closed/))
  })

  test('`await using` closes', async () => {
    const { mesh, backend } = open()
    {
      await using using = mesh
      expect(await using.call(echo, 1)).toBe(1)
    }
    expect(backend.closed).toBe(1)
  })
})

test('a map has the options of its calls', async () => {
  const { mesh, backend } = open(okOutcome)
  for await (const item of mesh.map(echo, [1], { verify: 'none', limits: { fuel: 3 }, unordered: true, timeoutMs: 9 }))
    expect(item).toEqual({ ok: true, index: 0, value: 1 })
  expect(backend.maps).toMatchObject([{ verify: 'none', limits: { fuel: 3 }, unordered: true, timeoutMs: 9 }])
})

describe('start', () => {
  test('gives an id at once, and the answer when it is asked for', async () => {
    const { mesh, backend } = open()
    const started = await mesh.start(echo, { a: 1 }, { verify: 'self', grants: { DB: { state: 'shop' } } })
    expect(started.id).toBe('invocation-1')
    expect(backend.started).toMatchObject([
      { function: CID_TEXT, verify: 'self', timeoutMs: 86_400_000, grants: { DB: { state: 'shop' } } },
    ])
    expect(backend.started[0]).not.toHaveProperty('signal')
    await mesh.close()
    expect(await started.result()).toEqual({ a: 1 })
  })

  test('says with what it failed, and that it was cancelled', async () => {
    const failing = open(() => outcomeOf({ ok: false, code: 'E_FUNCTION_THREW', message: 'no', stack: '' }))
    const started = await failing.mesh.start(echo, 1)
    await expect(started.result()).rejects.toEqual(failsWith('E_FUNCTION_THREW', 'no'))
    const unable = open(() => {
      throw new MeshError('E_NO_PEER', 'nobody')
    })
    await expect((await unable.mesh.start(echo, 1)).result()).rejects.toEqual(failsWith('E_NO_PEER', 'nobody'))
    const cancelled = await open().mesh.start(echo, 1)
    expect([await cancelled.cancel(), await cancelled.cancel()]).toEqual([true, false])
    await expect(cancelled.result()).rejects.toEqual(failsWith('E_CANCELLED'))
  })

  test('is revoked, and renewed', async () => {
    const { mesh, backend } = open()
    const [first, second] = [await mesh.start(echo, 1), await mesh.start(echo, 2)]
    await first.revoke()
    await second.revoke()
    expect(backend.revoked).toEqual([first.id, second.id])
    await first.renew()
    expect(backend.revoked).toEqual([second.id])
  })

  test('takes the time that is given, else that of the project', async () => {
    const { mesh, backend } = open()
    await mesh.start(echo, 1, { timeoutMs: 9 })
    expect(backend.started).toMatchObject([{ timeoutMs: 9 }])
    await expect(mesh.start(echo, 1, { timeoutMs: 0 })).rejects.toEqual(failsWith('E_USAGE', 'timeoutMs'))
  })
})
