import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkProperty } from '../scripts/test/seed.ts'
import { bytesOf, limits, outcomeOf, runOf, wasm } from './fixture.ts'
import { createSandbox } from './sandbox.ts'

const MODULES = [
  'export default (x) => x',
  'console.log("loading"); console.warn({ a: 1 }); export default () => { console.log("running"); return 1 }',
  'const table = Array.from({ length: 50_000 }, (_, i) => i * i); export default () => table.reduce((a, b) => (a + b) % 1000, 0)',
  'const g = (function* () { yield 1; yield 2 })(); g.next(); export default () => g.next().value',
  'let resolve; const p = new Promise((r) => { resolve = r }); export default async () => { resolve(7); return p }',
  'const map = new Map([[{}, 1]]); const weak = new WeakMap(); export default () => { weak.set(map, 2); return [map.size, weak.get(map)] }',
  'export default () => { throw new Error("as always") }',
  'export default async (x, env, ctx) => ctx.call("#other", Math.random())',
]
const MEMORY = limits.memory_bytes

const loadedWith = (module: string) => {
  const sandbox = createSandbox({ wasm, compare: true })
  sandbox.load(module, bytesOf(module), MEMORY)
  return sandbox
}
const fileOf = (module: string) => loadedWith(module).exported(module, MEMORY) as Uint8Array

describe('an image as bytes', () => {
  test.each(MODULES)('restored elsewhere gives what the module gives: %s', (module) => {
    const first = loadedWith(module)
    const file = first.exported(module, MEMORY) as Uint8Array
    const second = createSandbox({ wasm, compare: true })
    second.restore(module, MEMORY, file)
    for (const input of [1, 'two', null]) {
      const run = runOf(input)
      expect(second.run(module, run).result).toEqual(first.run(module, run).result)
    }
    expect(second.exported(module, MEMORY)).toEqual(file)
  })

  test('is the same whenever it is made, also after runs', () => {
    const [, , module = ''] = MODULES
    const sandbox = loadedWith(module)
    const file = sandbox.exported(module, MEMORY)
    sandbox.run(module, runOf())
    expect(sandbox.exported(module, MEMORY)).toEqual(file)
    expect(fileOf(module)).toEqual(file)
    expect(fileOf(`${module}\nexport const more = 1`)).not.toEqual(file)
  })

  test('may be written over once there was a rest, also where it lies in a buffer of Node', () => {
    const [module = ''] = MODULES
    const file = Buffer.from(fileOf(module))
    const sandbox = createSandbox({ wasm, compare: true })
    sandbox.restore(module, MEMORY, file)
    const first = sandbox.run(module, runOf(1)).result
    sandbox.rest(false)
    file.fill(7)
    expect(sandbox.run(module, runOf(1)).result).toEqual(first)
    expect(sandbox.exported(module, MEMORY)).toEqual(fileOf(module))
  })

  test('prints no more than is printed without it', () => {
    const module =
      'for (let i = 0; i < 3000; i++) console.log("x".repeat(100)); export default () => { console.log("more") }'
    const restored = createSandbox({ wasm })
    restored.restore(module, MEMORY, fileOf(module))
    const { console } = outcomeOf(restored.run(module, runOf()).result)
    expect(console).toEqual(outcomeOf(loadedWith(module).run(module, runOf()).result).console)
  })

  test('there is none of what is not loaded, or does not load', () => {
    const sandbox = loadedWith('syntax error')
    expect([sandbox.exported('syntax error', MEMORY), sandbox.exported('other', MEMORY)]).toEqual([
      undefined,
      undefined,
    ])
  })

  test('of another memory is refused', () => {
    const file = fileOf(MODULES[0] as string)
    expect(() => createSandbox({ wasm }).restore('f', 2 * MEMORY, file)).toThrow('bytes of memory')
  })

  test('that is damaged is refused, or is one of the memory it says it has; nothing is written elsewhere', () => {
    const file = fileOf(MODULES[1] as string)
    checkProperty(
      'damaged image',
      fc.property(fc.nat(file.length - 1), fc.integer({ min: 1, max: 255 }), fc.nat(file.length), (at, change, cut) => {
        const damaged = file.slice(0, cut < 8 ? file.length - cut : file.length)
        if (at < damaged.length) damaged[at] = (damaged[at] as number) ^ change
        const sandbox = createSandbox({ wasm })
        try {
          sandbox.restore('f', MEMORY, damaged)
        } catch (error) {
          expect((error as Error).name).toMatch(/MeshError|TypeError|RangeError/)
          return
        }
        expect(sandbox.has('f', MEMORY)).toBe(true)
      }),
    )
  })
})
