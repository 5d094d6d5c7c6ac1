import { describe, expect, test } from 'vitest'
import { Bases } from './base.ts'
import { begin, bytesOf, outcomeOf, perform, returned, runOf, valueIn, wasm } from './fixture.ts'
import { groupsFor, WEB_GROUPS } from './guest/web.ts'
import { loadFunction } from './load.ts'
import { createSandbox } from './sandbox.ts'

describe('what a module names', () => {
  test.each<[string, string[]]>([
    ['export default (x) => x', []],
    ['new URL(x)', ['url']],
    ['new Request(x)', ['url', 'fetch']],
    ['globalThis.URL; self.Blob', ['url', 'blob']],
    ['x.URL; x?.Blob; URLs; myURL; $URL; URL$', []],
    ['[...Headers]', ['fetch']],
    ["// new URL\n/* Blob\nFile */ \"Event\" + 'it\\'s a Blob'", []],
    ['const r = /["\']/; new URL(x)', ['url']],
    ["const r = /'/; new URL('x')", []],
    ['const r = /["\']/\nnew URL(x)', ['url']],
    [`\`\${new URL(x)}\``, ['url']],
  ])('%s', (text, groups) => {
    expect(groupsFor(text)).toEqual(groups)
  })
})

const names = Object.values(WEB_GROUPS).flat()

test('effects and bindings that are declared need groups, and timers what their names need', () => {
  expect(groupsFor('', { effects: ['sleep'] })).toEqual([])
  expect(groupsFor('', { effects: ['now'] })).toEqual(['effects'])
  expect(groupsFor('', { effects: ['get'], env: [{ name: 'DB', kind: 'state' }] })).toEqual(['effects', 'state'])
  expect(groupsFor('', { env: [{ name: 'KEY', kind: 'secret' }] })).toEqual(['effects'])
})

describe('a group', () => {
  test('is evaluated at its first use, and then a global like any other', () => {
    const module = `export default ([a, b]) => {
      const before = Object.getOwnPropertyDescriptor(globalThis, a + b)
      const made = globalThis[a + b]
      const after = Object.getOwnPropertyDescriptor(globalThis, a + b)
      return [typeof before.get, before.enumerable, made === globalThis[a + b], after.value === made, after.writable, after.configurable, after.enumerable, made.name, new made('a:b').href]
    }`
    const expected = ['function', false, true, true, true, true, false, 'URL', 'a:b']
    expect(valueIn(perform(module, ['UR', 'L']))).toEqual(expected)
  })

  test('gives the same whether it was named or not', () => {
    const body = (name: string) =>
      `export default () => { const C = globalThis[${name}]; return [typeof C, C.name, Object.getOwnPropertyNames(C.prototype ?? {})] }`
    for (const name of names)
      expect(returned(`${body(`'${name.slice(0, 2)}' + '${name.slice(2)}'`)}`)).toEqual(
        returned(`${body(`'${name}'`)} // \n ${name}`),
      )
  })

  test('may be replaced by the function before it is used, for itself alone', () => {
    const sandbox = createSandbox({ wasm, compare: true })
    const replace = `export default ([a, b]) => { globalThis[a + b] = 5; const set = globalThis[a + b]; delete globalThis[a + b]; return [set, (a + b) in globalThis] }`
    expect(valueIn(outcomeOf(begin(replace, runOf(['UR', 'L']), {}, sandbox).result))).toEqual([5, false])
    expect(valueIn(outcomeOf(begin(replace, runOf(['UR', 'L']), {}, sandbox).result))).toEqual([5, false])
  })

  test('that is evaluated after the function has changed the built-ins cannot harm what crosses', () => {
    const module = `export default ([a, b]) => {
      Array.prototype.map = Array.prototype.push = Object.defineProperty = Object.keys = () => { throw new Error('mine') }
      Object.prototype.get = () => 1
      Function.prototype.call = Function.prototype.apply = undefined
      let name; try { new globalThis[a + b]('http://a/b?c').href } catch (e) { name = e.message }
      return { bytes: new Uint8Array([1]), name: typeof name }
    }`
    expect(valueIn(perform(module, ['UR', 'L']))).toMatchObject({ bytes: Uint8Array.of(1) })
  })

  test('says that its code is native, and leaves the function’s own source alone', () => {
    const module = `export default function f() { return ['' + URL, '' + URL.prototype.toString, '' + f].map((text) => text.includes('[' + 'native code]')) }`
    expect(returned(module)).toEqual([true, true, false])
  })

  test('that is evaluated at a call is charged to it; one in the image is not', () => {
    const lazy = perform(`export default ([a, b]) => new globalThis[a + b]('a:b').href`, ['UR', 'L']).fuel
    const named = perform(`export default () => new URL('a:b').href`).fuel
    expect(lazy).toBeGreaterThan(named)
  })

  test('is in no image of a function that does not name it', () => {
    const bases = new Bases(wasm)
    const bytes = (code: string) => {
      const loaded = loadFunction(bases, bytesOf(code), 2 ** 25)
      return 'image' in loaded ? loaded.image.dataBytes : Number.NaN
    }
    const trivial = bytes('export default (x) => x')
    // What effects are made of took four pages more.
    expect(trivial).toBeLessThanOrEqual(237_568)
    expect(bytes('export default (x) => x.URL')).toBeLessThan(trivial + 8192)
    expect(bytes('export default (x) => new URL(x)')).toBeGreaterThan(trivial)
  })

  test('is the same in every instance', () => {
    const all = `export default () => [${names}].map((x) => typeof x)`
    const image = () => {
      const loaded = loadFunction(new Bases(wasm), bytesOf(all), 2 ** 25)
      return 'image' in loaded
        ? loaded.image.copies.map(({ at, bytes }) => [at, Buffer.from(bytes).toString('base64')])
        : loaded
    }
    expect(image()).toEqual(image())
  })
})
