import { spawn } from 'node:child_process'
import { existsSync, readFileSync, readlinkSync } from 'node:fs'
import { getPriority } from 'node:os'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { rawCid } from '../protocol/cid.ts'
import { largePutIn } from '../protocol/effects.ts'
import { NO_FAIL_POINTS, planFailPoints } from '../protocol/fail-points.ts'
import { FUEL_MAX, FUEL_TICK, MIB } from '../protocol/limits.ts'
import { Outcome } from '../protocol/outcome.ts'
import { decodeValue, encodeValue, ensureValue } from '../protocol/values.ts'
import { bytesOf, limits, runOf, seed, wasm } from '../sandbox/fixture.ts'
import { PLAIN_MODULE } from '../sandbox/job.ts'
import { createSandboxPool, type SandboxJob, type SandboxPool, type SandboxResult } from '../sandbox/pool.ts'
import { createSandbox } from '../sandbox/sandbox.ts'
import { childrenOf, textOf } from '../scripts/processes.ts'
import { isAlive } from '../scripts/test/is-alive.ts'
import { systemClock } from './clock.ts'
import { createCrypto } from './crypto.ts'
import { createSandboxHost } from './sandbox-host.ts'

const poolOf = (slots: number, idleMs = 60_000, failPoints = NO_FAIL_POINTS): SandboxPool => {
  const ports = { sandboxHost: createSandboxHost(failPoints), clock: systemClock, log: { event() {} } }
  const pool = createSandboxPool(ports, { slots, idleMs })
  onTestFinished(() => pool.stop())
  return pool
}

const jobOf = (module: string, input: unknown = null, changes: Partial<SandboxJob> = {}): SandboxJob => ({
  ...{
    party: 'somebody',
    functionId: module,
    code: () => bytesOf(module),
    exportName: 'default',
    effects: ['call'],
    seed,
    limits,
  },
  ...{ input: encodeValue(ensureValue(input)), journal: [], timeoutMs: 60_000 },
  ...changes,
})

const outcomeIn = (result: SandboxResult): Outcome => {
  expect(result).toMatchObject({ kind: 'outcome' })
  return Outcome.decode((result as { outcome: Uint8Array }).outcome)
}

const valueIn = (result: SandboxResult) => {
  const outcome = outcomeIn(result)
  expect(outcome.result).toMatchObject({ ok: true })
  return decodeValue((outcome.result as { value: Uint8Array }).value)
}

const FOREVER = 'export default () => { for (;;); }'
const endless = { limits: { ...limits, fuel: FUEL_MAX } }

const isSandbox = (pid: number) => textOf(`/proc/${pid}/cmdline`)?.includes('sandbox-process')

/** Process IDs of the sandboxes that this process has started, as Linux tells them: each has a keeper, which is ours. */
const sandboxPids = (parent = process.pid): number[] => childrenOf(parent).filter(isSandbox).flatMap(childrenOf)

const onLinux = test.runIf(existsSync('/proc/self/stat'))

const PROGRAMS = [
  'export default (x) => x',
  'export default () => { let s = 0; for (let i = 0; i < 1e5; i++) s += Math.sin(i) * Math.random(); return s }',
  'export default () => { console.log("hi"); const a = []; for (;;) a.push([]) }',
  FOREVER,
  'export default () => { throw new Error("x") }',
  'export default () => [1, new Date()]',
  'let x = ;',
]

describe('a sandbox process', () => {
  test('gives the outcome, byte for byte, that a sandbox in this process gives; and another process, and the same again', async () => {
    const pools = [poolOf(1), poolOf(1)]
    for (const module of PROGRAMS) {
      const here = createSandbox({ wasm })
      here.load(module, bytesOf(module), limits.memory_bytes)
      const expected = here.run(module, runOf([1, 'é', Uint8Array.of(1), 2n])).result
      const job = jobOf(module, [1, 'é', Uint8Array.of(1), 2n])
      for (const pool of [...pools, ...pools]) expect(await pool.run(job).result).toEqual(expected)
    }
  })

  test('takes many runs at once, each in memory of its own', async () => {
    const pool = poolOf(2)
    const module = 'let n = 0; export default (x) => [x, ++n]'
    const runs = Array.from({ length: 3000 }, (_, i) => pool.run(jobOf(module, i)))
    const values = (await Promise.all(runs.map((run) => run.result))).map(valueIn)
    expect(values).toEqual(values.map((_, i) => [i, 1]))
  })

  test('carries the largest input and output', async () => {
    const bytes = new Uint8Array(4 * MIB - 100).fill(7)
    const large = { limits: { ...limits, memory_bytes: 64 * MIB, output_bytes: 4 * MIB } }
    const echoed = valueIn(await poolOf(1).run(jobOf('export default (x) => x', bytes, large)).result) as Uint8Array
    expect(Buffer.compare(echoed, bytes)).toBe(0)
  })

  test('tells of the blocks of what is put before the request that names them', async () => {
    const form = { ...PLAIN_MODULE, effects: ['put' as const], env: [{ name: 'DB', kind: 'state' as const }] }
    const told: string[] = []
    const job = jobOf('export default (x, { DB }) => DB.put("a", x)', new Uint8Array(2 * MIB).fill(7), {
      ...{ form, effects: form.effects, limits: { ...limits, memory_bytes: 64 * MIB } },
      onBlock: (bytes) => void told.push(rawCid(createCrypto(), bytes).toString()),
      onRequest: ({ kind, arguments: encoded }) => void told.push(...(largePutIn(kind, encoded)?.blocks ?? [kind])),
    })
    const { requests } = outcomeIn(await poolOf(1).run(job).result)
    const put = requests.map(({ kind, arguments: encoded }) => largePutIn(kind, encoded))[0]
    expect(put?.blocks).toHaveLength(5)
    expect(told).toEqual([...(put?.blocks ?? []), ...(put?.blocks ?? [])])
  })

  test('reports fuel while it computes', async () => {
    const run = poolOf(1).run(jobOf(FOREVER, null, endless))
    await vi.waitFor(() => expect(run.fuel()).toBeGreaterThan(0), 60_000)
    const before = run.fuel()
    expect(before % FUEL_TICK).toBe(0)
    await vi.waitFor(() => expect(run.fuel()).toBeGreaterThan(before), 60_000)
    expect([run.state(), run.alive()]).toEqual(['running', true])
    run.kill('enough')
    expect(await run.result).toEqual({ kind: 'inconclusive', reason: 'enough' })
  })

  onLinux('inherits nothing, yields to others, and ends when it has nothing to do', async () => {
    const pool = poolOf(1, 300)
    const { promise: asked, resolve: onRequest } = Promise.withResolvers()
    const run = pool.run(jobOf('export default (x, env, ctx) => ctx.call("f", x)', null, { onRequest }))
    await asked
    const [pid] = sandboxPids() as [number]
    expect(readFileSync(`/proc/${pid}/environ`, 'latin1')).toBe('')
    expect(readlinkSync(`/proc/${pid}/cwd`)).toMatch(/\/empty$/)
    expect(getPriority(pid)).toBe(19)
    run.answer(0, { ok: true, value: encodeValue(1) })
    expect(valueIn(await run.result)).toBe(1)
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), 60_000)
    expect(valueIn(await pool.run(jobOf('export default () => 2')).result)).toBe(2)
  })

  onLinux('ends with its agent, however that ends, even while it computes', async () => {
    const url = (path: string) => JSON.stringify(new URL(path, import.meta.url).href)
    const script = `
      import { createSandboxPool } from ${url('../sandbox/pool.ts')}
      import { createSandboxHost } from ${url('./sandbox-host.ts')}
      import { systemClock } from ${url('./clock.ts')}
      const sandboxHost = createSandboxHost()
      sandboxHost.confinement()
      const pool = createSandboxPool({ sandboxHost, clock: systemClock, log: { event() {} } }, { slots: 2, idleMs: 60_000 })
      pool.takeSpare()
      const job = (module) => ({ party: 'somebody', functionId: module, code: () => new TextEncoder().encode(module), exportName: 'default', effects: [], input: Uint8Array.of(0xf6), seed: new Uint8Array(32), limits: { fuel: ${FUEL_MAX}, memory_bytes: 0, output_bytes: 100 }, journal: [], timeoutMs: 60_000 })
      const endless = [pool.run(job(${JSON.stringify(FOREVER)})), pool.run(job(${JSON.stringify(FOREVER)}))]
      setInterval(() => { if (endless.every((run) => run.fuel() > 0)) console.log('ready') }, 50)`
    const agent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    onTestFinished(() => void agent.kill('SIGKILL'))
    for await (const line of createInterface(agent.stdout)) if (line === 'ready') break
    const pids = sandboxPids(agent.pid)
    expect(pids).toHaveLength(2)
    agent.kill('SIGKILL')
    await vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]), 60_000)
  })
})

describe('the wall clock', () => {
  test('ends a loop whose fuel would last, and nothing else', async () => {
    const pool = poolOf(1)
    const quick = 'export default (x) => x'
    for (let i = 0; i < 20; i++) await pool.run(jobOf(quick, i)).result
    const late = pool.run(jobOf(quick.replace('x)', 'x, y)'), 0, {}))
    const stuck = pool.run(jobOf(FOREVER, null, { ...endless, timeoutMs: 500 }))
    const innocent = Array.from({ length: 10 }, (_, i) => pool.run(jobOf(quick, i)))
    expect(await stuck.result).toEqual({ kind: 'inconclusive', reason: 'no result within 500 ms' })
    expect(valueIn(await late.result)).toBe(0)
    const values = (await Promise.all(innocent.map((run) => run.result))).map(valueIn)
    expect(values).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  test('ends a built-in that fuel does not see', async () => {
    const module = `export default () => 'a'.repeat(4e6).indexOf('a'.repeat(2e6) + 'b')`
    const run = poolOf(1).run(jobOf(module, null, { timeoutMs: 300 }))
    expect(await run.result).toEqual({ kind: 'inconclusive', reason: 'no result within 300 ms' })
  })
})

describe('a process that dies', () => {
  onLinux('takes with it the run that it computed; what waited in it goes on', async () => {
    const pool = poolOf(1)
    let requested = () => {}
    const asked = new Promise<void>((resolve) => {
      requested = resolve
    })
    const waits = pool.run(
      jobOf('export default async (x, env, ctx) => [await ctx.call("f", x), Math.random()]', 5, {
        onRequest: () => requested(),
      }),
    )
    await asked
    const stuck = pool.run(jobOf(FOREVER, null, endless))
    await vi.waitFor(() => expect(stuck.fuel()).toBeGreaterThan(0), 60_000)
    for (const pid of sandboxPids()) process.kill(pid, 'SIGKILL')
    expect(await stuck.result).toEqual({ kind: 'inconclusive', reason: 'its process ended: a signal' })
    expect(waits.state()).toBe('waiting')
    waits.answer(0, { ok: true, value: encodeValue('answer') })
    expect(valueIn(await waits.result)).toEqual(['answer', expect.any(Number)])
  })
})

test('calls nested sixteen deep need no more than one slot', async () => {
  const pool = poolOf(1)
  const module = 'export default async (depth, env, ctx) => depth === 0 ? 0 : 1 + await ctx.call("#default", depth - 1)'
  const call = (depth: number) => {
    const run = pool.run(
      jobOf(module, depth, {
        onRequest: ({ n, arguments: bytes }) => {
          const { input } = decodeValue(bytes) as { input: number }
          call(input).result.then((result) => run.answer(n, { ok: true, value: encodeValue(valueIn(result)) }))
        },
      }),
    )
    return run
  }
  const calls = Array.from({ length: 8 }, () => call(16))
  for (const run of calls) expect(valueIn(await run.result)).toBe(16)
})

/** These need more of the native stack than most: the engine's own check must come first (sandbox/README.md). */
const DEEP = [
  'JSON.parse("[".repeat(1e5))',
  'let a = []; for (let i = 0; i < 1e5; i++) a = [a]; JSON.stringify(a)',
  'eval("(".repeat(1e5))',
  'eval("[".repeat(1e5))',
  'eval("{".repeat(1e5))',
  'eval("`${".repeat(1e5))',
  'eval("x={a:".repeat(1e5))',
  'eval("()=>".repeat(1e5))',
  'eval("(function(){".repeat(1e5))',
  'new RegExp("(?:".repeat(1e5))',
  'new RegExp("[".repeat(1e5), "v")',
  'let p = {}; for (let i = 0; i < 2e4; i++) p = new Proxy(p, {}); p.x',
  'let a = []; for (let i = 0; i < 1e5; i++) a = [a]; a.flat(Infinity)',
  'const f = () => [2, 1].sort(f); f()',
  'const f = () => "a".replace(/a/g, f); f()',
  'const f = () => new Promise(f); f(); f.call()',
  'const f = (...a) => f(...a, 1); f()',
  'globalThis.f = () => eval("f()"); f()',
]

test('a guest that goes too deep meets the limit of the engine, never that of the machine', async () => {
  const pool = poolOf(1)
  // Often enough that the engine's functions are compiled anew, with other frames.
  for (let round = 0; round < 3; round++) {
    for (const code of DEEP) {
      const module = `export default (code) => { try { (0, eval)(code) } catch (e) { return String(e) } }`
      const { kind, ...rest } = await pool.run(jobOf(module, code)).result
      expect([code, kind, rest]).toEqual([code, 'outcome', expect.anything()])
    }
    await sleep(100)
  }
})

describe('the process that tells how sandboxes are held', () => {
  test('is the first of the pool, once', async () => {
    const sandboxHost = createSandboxHost()
    const confinement = sandboxHost.confinement()
    const events: string[] = []
    const log = { event: (name: string) => void events.push(name) }
    const pool = createSandboxPool({ sandboxHost, clock: systemClock, log }, { slots: 1, idleMs: 60_000 })
    onTestFinished(() => pool.stop())
    pool.takeSpare()
    expect(sandboxHost.spare?.()).toBeUndefined()
    expect(valueIn(await pool.run(jobOf('export default (x) => x', 1)).result)).toBe(1)
    expect([events, await confinement]).toEqual([['sandbox.spawned'], await sandboxHost.confinement()])
  })

  onLinux('is no spare once it has ended', async () => {
    const sandboxHost = createSandboxHost()
    await sandboxHost.confinement()
    const keepers = childrenOf(process.pid).filter(isSandbox)
    for (const pid of sandboxPids()) process.kill(pid, 'SIGKILL')
    // Not a zombie either: once Node has buried it, the host has been told.
    await vi.waitFor(() => expect(keepers.filter((pid) => textOf(`/proc/${pid}/stat`))).toEqual([]), 60_000)
    expect(sandboxHost.spare?.()).toBeUndefined()
  })
})

test.each(['sandbox.spawn=throw@1', 'sandbox.send=throw@1', 'sandbox.send=throw@3'])(
  'a process that fails at %s is replaced, and its runs with it',
  async (plan) => {
    const pool = poolOf(
      1,
      60_000,
      planFailPoints(plan, () => {}),
    )
    const job = (n: number) => jobOf('export default (n) => n * 2', n)
    for (const n of [1, 2, 3]) {
      const result = await pool.run(job(n)).result
      // The run that a process died under may be given up; the next must find a new process.
      if (result.kind === 'inconclusive') expect(valueIn(await pool.run(job(n)).result)).toBe(2 * n)
      else expect(valueIn(result)).toBe(2 * n)
    }
  },
)
