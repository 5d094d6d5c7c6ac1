/** For the tests of this folder: the engine's binary, and runs of a module given as text. */
import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import { MIB } from '../protocol/limits.ts'
import { type Limits, Outcome } from '../protocol/outcome.ts'
import { decodeValue, encodeValue, ensureValue, type Value } from '../protocol/values.ts'
import { Bases } from './base.ts'
import { PLAIN_MODULE, type Run, type RunEvents, type SandboxResult } from './job.ts'
import { createSandbox, type RunHandle, type Sandbox } from './sandbox.ts'

export const wasmBytes = new Uint8Array(readFileSync(new URL('./quickjs.wasm', import.meta.url)))
export const wasm = new WebAssembly.Module(wasmBytes)
/** Made once: what all sandboxes of a file begin with is the same. */
export const bases = new Bases(wasm)

export const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(hash('sha256', bytes, 'buffer'))

export const limits: Limits = { fuel: 20_000_000, memory_bytes: 32 * MIB, output_bytes: 1 * MIB }
export const seed = Uint8Array.from({ length: 32 }, (_, i) => i + 1)

export const bytesOf = (module: string): Uint8Array => new TextEncoder().encode(module)

export const runOf = (input: unknown = null, changes: Partial<Run> = {}): Run => ({
  owner: 'someone',
  exportName: 'default',
  effects: ['call'],
  input: encodeValue(ensureValue(input)),
  seed,
  limits,
  journal: [],
  ...changes,
})

/** Begins a run of `module` in a sandbox that compares its memory with the image before each run. */
export const begin = (
  module: string,
  run: Run = runOf(),
  events: RunEvents = {},
  sandbox: Sandbox = createSandbox({ wasm, bases, compare: true }),
): RunHandle => {
  sandbox.load(module, bytesOf(module), run.limits.memory_bytes, { ...PLAIN_MODULE, effects: run.effects })
  return sandbox.run(module, run, events)
}

export const outcomeOf = (result: SandboxResult | undefined): Outcome => {
  expect(result).toMatchObject({ kind: 'outcome' })
  return Outcome.decode((result as { outcome: Uint8Array }).outcome)
}

/** The outcome of one run, from its image and once more after it: both must be the same bytes. */
export const perform = (module: string, input: unknown = null, changes: Partial<Run> = {}): Outcome => {
  const sandbox = createSandbox({ wasm, bases, compare: true })
  const run = runOf(input, changes)
  const first = begin(module, run, {}, sandbox).result
  expect(begin(module, run, {}, sandbox).result).toEqual(first)
  return outcomeOf(first)
}

export const valueIn = (outcome: Outcome): Value => {
  expect(outcome.result).toMatchObject({ ok: true })
  return decodeValue((outcome.result as { value: Uint8Array }).value)
}

/** What `module`'s default export returns for `input`. */
export const returned = (module: string, input: unknown = null): Value => valueIn(perform(module, input))

/** The code, message and stack that a run failed with. */
export const failed = (module: string, input: unknown = null, changes: Partial<Run> = {}) => {
  const { result } = perform(module, input, changes)
  expect(result).toMatchObject({ ok: false })
  return result as Extract<Outcome['result'], { ok: false }>
}
