/** Functions that compilers made of C and AssemblyScript, run as an executor runs them. */
import { beforeAll, describe, expect, test } from 'vitest'
import { FUEL_TICK } from '../../protocol/limits.ts'
import { parsed } from '../../scripts/wasm/parsed.ts'
import { compileAssemblyScript, compileWasi } from '../../sdk/bundle/wasm/testing/compile.ts'
import { limits, outcomeOf, runOf, sha256, wasm } from '../fixture.ts'
import type { Run } from '../job.ts'
import { createSandbox } from '../sandbox.ts'
import { Tracer } from '../tracer.ts'
import { metered, performed, textOf } from './testing/programs.ts'

const FILTER = `
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static int by_length(const void *a, const void *b) { return strcmp(*(char **)a, *(char **)b); }
/* Sorts the words of its input. */
int main(void) {
  char *text = malloc(1 << 16), *words[1024];
  size_t length = fread(text, 1, (1 << 16) - 1, stdin), count = 0;
  text[length] = 0;
  for (char *word = strtok(text, " \\n\\"[],"); word && count < 1024; word = strtok(NULL, " \\n\\"[],")) words[count++] = word;
  qsort(words, count, sizeof *words, by_length);
  for (size_t i = 0; i < count; i++) printf("%zu %s %.3f\\n", i, words[i], (double)strlen(words[i]) / 3);
  fprintf(stderr, "sorted %zu\\nwords", count);
  return 0;
}
`

const UPPER = `
export function alloc(length: i32): usize { return heap.alloc(length) }
export function upper(at: usize, length: i32): u64 {
  const text = String.UTF8.decodeUnsafe(at, length).toUpperCase()
  const out = String.UTF8.encode(text)
  return ((<u64>changetype<usize>(out)) << 32) | <u64>out.byteLength
}
export function add(a: i32, b: i32): i32 { return a + b }
/* Counts to a million as often as its input has bytes, in memory. */
export function counts(at: usize, length: i32): u64 {
  const place = heap.alloc(8)
  for (let i = 0; i < 1_000_000 * length; i++) store<i32>(place, load<i32>(place) + 1)
  return ((<u64>place) << 32) | 4
}
export function fails(at: usize, length: i32): u64 { throw new Error('no luck') }
`

describe('a WASI command', () => {
  let code: Uint8Array
  beforeAll(async () => {
    code = await metered(compileWasi(FILTER))
  })

  test('has its input on stdin, its stdout is the result, its stderr is in the console', () => {
    const outcome = performed(code, ['pear', 'apple', 'fig'])
    expect(textOf(outcome)).toBe('0 apple 1.667\n1 fig 1.000\n2 pear 1.333\n')
    expect(outcome.console).toEqual([
      { level: 'error', text: 'sorted 3' },
      { level: 'error', text: 'words' },
    ])
    expect(outcome.fuel).toBeGreaterThan(1000)
    expect(outcome.memory_bytes).toBeGreaterThan(0)
  })

  test('has bytes as they are', () => {
    expect(textOf(performed(code, new TextEncoder().encode('b a')))).toBe('0 a 0.333\n1 b 0.333\n')
  })

  test('without enough fuel, or room for its output', () => {
    expect(performed(code, 'a b', { limits: { ...limits, fuel: 100 } })).toMatchObject({
      result: { ok: false, code: 'E_FUEL_LIMIT' },
      fuel: 100,
    })
    expect(performed(code, 'a b', { limits: { ...limits, output_bytes: 10 } }).result).toMatchObject({
      code: 'E_OUTPUT_LIMIT',
    })
  })
})

test('memory that a module begins with costs as much as memory that it grows by', async () => {
  const fuelOf = async (memory: string, grows: string) => {
    const body = `(func (export "_start") ${grows} (i32.store (i32.const 0) (i32.const 1)))`
    return performed(await metered(parsed(`(module (memory ${memory}) ${body})`))).fuel
  }
  const [small, large, grown] = [
    await fuelOf('1 101', ''),
    await fuelOf('101 101', ''),
    await fuelOf('1 101', '(drop (memory.grow (i32.const 100)))'),
  ]
  expect(large - small).toBeGreaterThan(100_000)
  expect(Math.abs(grown - large)).toBeLessThan(100)
})

describe('functions over bytes', () => {
  let code: Uint8Array
  beforeAll(async () => {
    code = await metered(await compileAssemblyScript(UPPER))
  })

  test('are called by name, with JSON or bytes', () => {
    expect(textOf(performed(code, { a: 'ß' }, { exportName: 'upper' }))).toBe('{"A":"SS"}')
    expect(textOf(performed(code, new TextEncoder().encode('abc'), { exportName: 'upper' }))).toBe('ABC')
  })

  test('others are not', () => {
    for (const exportName of ['default', 'add', 'memory', 'wayside:gas'])
      expect(performed(code, null, { exportName }).result).toMatchObject({
        code: 'E_EXPORT_UNKNOWN',
        message: expect.stringContaining('callable exports: upper, counts, fails'),
      })
  })

  test('fail in words of ours', () => {
    expect(performed(code, null, { exportName: 'fails' }).result).toMatchObject({ code: 'E_FUNCTION_THREW' })
  })

  const traceOf = (distanceTicks: number, changes: Partial<Run> = {}) => {
    const sandbox = createSandbox({ wasm })
    sandbox.load('f', code, limits.memory_bytes, { tier: 'webassembly', modules: [] })
    const tracer = new Tracer(distanceTicks, sha256)
    const run = runOf(new Uint8Array(6), { exportName: 'counts', limits: { ...limits, fuel: 1_000_000 }, ...changes })
    const { result } = sandbox.run('f', run, { tracer })
    return { outcome: outcomeOf(result), trace: tracer.trace }
  }

  test('are traced by runs that have fuel for a part of it, sixteen at most', () => {
    const { outcome, trace } = traceOf(1)
    expect(outcome).toEqual(performed(code, new Uint8Array(6), { exportName: 'counts' }))
    const ticks = Math.ceil(outcome.fuel / FUEL_TICK)
    expect(ticks).toBeGreaterThan(16)
    expect(trace.map(({ tick }) => tick)).toEqual(Array.from({ length: Math.ceil(ticks / 2) }, (_, i) => 2 * i))
    expect(new Set(trace.map(({ hash }) => hash.join())).size).toBe(trace.length)
    // One that ends for its fuel has come as far as one that goes on.
    const cut = traceOf(8, { limits: { ...limits, fuel: 9 * FUEL_TICK } })
    expect(cut.outcome.result).toMatchObject({ code: 'E_FUEL_LIMIT' })
    expect(cut.trace).toEqual(trace.filter(({ tick }) => tick === 0 || tick === 8))
  })

  test('are traced by nothing where nothing ran', () => {
    expect(traceOf(1, { exportName: 'missing' }).trace).toEqual([])
  })
})
