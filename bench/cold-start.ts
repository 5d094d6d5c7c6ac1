/**
 * The first call of a function that the agent has, in a sandbox process that is up: beside a warm call, a fresh isolate of
 * workerd per request (with the HTTP that it is reached by; a request to an isolate that is there is beside it),
 * isolated-vm with a V8 snapshot, and a plain context of quickjs-emscripten, each in a process of its own like ours. All are
 * measured by whoever asks: from the question, with what the process has to be given for it, to the answer.
 */
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { systemClock } from '../node/clock.ts'
import { createSandboxHost } from '../node/sandbox-host.ts'
import { FUEL_DEFAULT, MEMORY_BYTES_DEFAULT, OUTPUT_BYTES_MAX } from '../protocol/limits.ts'
import { decodeValue, encodeValue } from '../protocol/values.ts'
import { createSandboxPool, type SandboxPool } from '../sandbox/pool.ts'
import { createSandbox } from '../sandbox/sandbox.ts'
import { WORTH_KEEPING_MS } from '../sandbox/worker.ts'
import { ENGINE_FILE } from '../scripts/engine/source.ts'
import { bundle } from '../sdk/bundle/bundle.ts'
import { ensurePlausible, interleave, median, rounded, row } from './measure.ts'
import { ask, start } from './processes.ts'
import { installRivals } from './rivals/install.ts'
import { WorkerdServer } from './rivals/workerd.ts'

const ROUNDS = 41
const WARMUPS = 20
const PROCESSES = 11
/** A start that takes longer is that of a machine which does something else. */
const WORKERD_PER_S_MIN = 20
const ONE_PROCESS = { slots: 1, idleMs: 60_000 }

const limits = { fuel: FUEL_DEFAULT, memory_bytes: MEMORY_BYTES_DEFAULT, output_bytes: OUTPUT_BYTES_MAX }
const ports = { sandboxHost: createSandboxHost(), clock: systemClock, log: { event: () => {} } }
const SMALL = fileURLToPath(new URL('./functions/small.ts', import.meta.url))
const LARGE = fileURLToPath(new URL('./functions/large.ts', import.meta.url))
const input = encodeValue(41)
const seed = new Uint8Array(32).fill(1)

/** The function as an agent has it: code, and the image where one is kept. */
interface Had {
  id: string
  code: Uint8Array
  image?: Uint8Array | undefined
  /** Its image is no longer offered to processes. */
  withdraw?: (() => void) | undefined
}

/** Milliseconds of one call through the pool. */
const call = async (pool: SandboxPool, { id, code, image }: Had): Promise<number> => {
  const fromMs = performance.now()
  const { result } = pool.run({
    ...{ party: 'bench', functionId: id, code: () => code, image: () => image },
    ...{ exportName: 'default', effects: [], input, seed, limits, journal: [], timeoutMs: 10_000 },
  })
  const ended = await result
  const ms = performance.now() - fromMs
  if (ended.kind !== 'outcome' || !ended.decoded.result.ok) throw new Error(`no result: ${JSON.stringify(ended)}`)
  const answer = decodeValue(ended.decoded.result.value)
  if (answer !== 42) throw new Error(`the sandbox answered ${answer}`)
  return ms
}

const first = async (pool: SandboxPool, one: Had): Promise<number> => {
  const ms = await call(pool, one)
  one.withdraw?.()
  return ms
}

/** Milliseconds until `child` has answered. */
const asked = async (child: ChildProcess, message: string): Promise<number> => {
  const fromMs = performance.now()
  const answer = await ask<number>(child, message)
  const ms = performance.now() - fromMs
  if (answer !== 42) throw new Error(`a rival answered ${answer}`)
  return ms
}

/**
 * The same module many times, each a function of its own, with the image that a process before made of it. All are made
 * before anything is measured: what that leaves behind would be collected meanwhile.
 */
const had = async (file: string): Promise<() => Had> => {
  const { code } = await bundle(file)
  const text = new TextDecoder().decode(code)
  const wasm = new WebAssembly.Module(readFileSync(ENGINE_FILE))
  const make = (n: number): Had => {
    const id = `${file} ${n}`
    const own = new TextEncoder().encode(`${text}\n// ${id}\n`)
    const sandbox = createSandbox({ wasm })
    const fromMs = performance.now()
    sandbox.load(id, own, limits.memory_bytes)
    // What takes no longer to evaluate has no image with an agent.
    const isKept = performance.now() - fromMs >= WORTH_KEEPING_MS
    const image = isKept ? sandbox.exported(id, limits.memory_bytes) : undefined
    return { id, code: own, image, withdraw: image && ports.sandboxHost.offer?.(image) }
  }
  const all = Array.from({ length: WARMUPS + ROUNDS + 1 }, (_, n) => make(n))
  return () => all.pop() as Had
}

/** As one script whose exports are the properties of `f`: neither rival takes a module in its snapshot or plain context. */
const scriptOf = async (file: string): Promise<string> => {
  const built = await build({
    entryPoints: [file],
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'f',
  })
  return (built.outputFiles[0] as { text: string }).text
}

export const run = async (print: (line: string) => void): Promise<Record<string, number>> => {
  installRivals()
  const folder = mkdtempSync(join(tmpdir(), 'wayside-bench-'))
  const scripts = { small: join(folder, 'small.js'), large: join(folder, 'large.js') }
  writeFileSync(scripts.small, await scriptOf(SMALL))
  writeFileSync(scripts.large, await scriptOf(LARGE))
  const small = await had(SMALL)
  const large = await had(LARGE)
  const workerd = await WorkerdServer.start(new TextDecoder().decode((await bundle(SMALL)).code))
  const { child: isolated } = await start('./rivals/isolated-vm-process.ts', [scripts.small], ['--no-node-snapshot'])
  const { child: quickjs } = await start('./quickjs-process.ts')
  const pool = createSandboxPool(ports, ONE_PROCESS)
  const warm = small()
  const subjects = [
    // Each of ours comes after a rival: what has just run finds its way in the caches.
    { name: 'warm', run: () => call(pool, warm) },
    { name: 'workerd, fresh isolate', run: () => workerd.request('fresh') },
    { name: 'cold, 1 kB', run: () => first(pool, small()) },
    { name: 'isolated-vm, 1 kB', run: () => asked(isolated, 'call') },
    { name: 'cold, 100 kB', run: () => first(pool, large()) },
    { name: 'workerd, isolate that is there', run: () => workerd.request('warm') },
    { name: 'quickjs-emscripten, 100 kB', run: () => asked(quickjs, scripts.large) },
  ]
  const results = await interleave(subjects, ROUNDS, WARMUPS)
  for (const [name, times] of await interleave(
    [{ name: 'first call of a new process', run: () => firstOfProcess(warm) }],
    PROCESSES,
    1,
  ))
    results.set(name, times)
  await pool.stop()
  workerd.stop()
  rmSync(folder, { recursive: true, force: true })
  print(`functions of ${warm.code.length} and ${large().code.length} bytes`)
  for (const [name, times] of results) print(row(name, 'ms', times))
  const of = (name: string) => rounded(median(results.get(name) ?? []))
  ensurePlausible('workerd', 1000 / of('workerd, fresh isolate'), WORKERD_PER_S_MIN, 'starts/s')
  return {
    cold_1k_ms: of('cold, 1 kB'),
    cold_100k_ms: of('cold, 100 kB'),
    warm_ms: of('warm'),
    workerd_ms: of('workerd, fresh isolate'),
    isolated_vm_ms: of('isolated-vm, 1 kB'),
    quickjs_100k_ms: of('quickjs-emscripten, 100 kB'),
    first_process_ms: of('first call of a new process'),
  }
}

const firstOfProcess = async (one: Had): Promise<number> => {
  const pool = createSandboxPool(ports, ONE_PROCESS)
  try {
    return await call(pool, one)
  } finally {
    await pool.stop()
  }
}
