import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { FUEL_TICK, MEMORY_BYTES_MIN, MIB } from '../protocol/limits.ts'
import { Engine } from './engine.ts'
import { wasm, wasmBytes } from './fixture.ts'
import { C_NAMES, EXPORTS, LAYOUT, METER } from './wasm-names.ts'

const glue = readFileSync(
  fileURLToPath(import.meta.resolve('@jitl/quickjs-wasmfile-release-sync/emscripten-module')),
  'utf8',
)

describe('the binary', () => {
  test('imports these functions and its memory', () => {
    const names = WebAssembly.Module.imports(wasm).map(({ module, name, kind }) => `${module}.${name} ${kind}`)
    expect(names.sort()).toEqual(
      [...'bcdefghikmnopqstu']
        .map((name) => `a.${name} function`)
        .concat('a.a memory')
        .sort(),
    )
  })

  test('names its exports as the package itself does', () => {
    const minified = new Map(Array.from(glue.matchAll(/d\.(\w+)=\s*b\.([\w$]+);/g), ([, name, short]) => [name, short]))
    expect(minified.size).toBe(70)
    for (const [ours, c] of Object.entries(C_NAMES))
      expect([c, minified.get(c)]).toEqual([c, EXPORTS[ours as keyof typeof C_NAMES]])
  })

  test('has the runtime exports that the package uses without a name', () => {
    expect(glue).toContain('wa=b.La;ua=b.Ma;Y=b.Na;ta=b.Oa')
    expect(glue).toContain('0!==h&&ua(h)')
    expect(glue).toContain('h=ta()')
    expect(glue).toContain('Z.u()')
    expect(EXPORTS).toMatchObject({ stackRestore: 'Ma', stackPointer: 'Oa', initialize: 'u' })
    expect(new Set(Object.values(EXPORTS)).size).toBe(Object.keys(C_NAMES).length + 3)
  })

  test('imports what the glue takes each import for', () => {
    // The table `xa` of the package's glue, by what is characteristic of each function in it.
    for (const mark of [
      'b:(a,c,b,e)=>N(`Assertion',
      'q:()=>N("")',
      'm:function(a,c){',
      'L[c+20>>2]=a.getFullYear()-1900',
      'j:(a,c)=>{T[a]&&',
      'n:(a,c,b,e)=>{var f=(new Date)',
      'p:()=>Date.now()',
      'k:a=>{var c=K.length',
      'e:(a,c)=>{var b=0',
      'f:(a,c)=>{var b=ra()',
      'd:()=>52',
      'o:function(){return 70}',
      'c:(a,c,b,e)=>{for(var f=0',
      'r:pa',
      's:function(a,c,b,e,f){return d.callbacks.callFunction',
      'i:function(a){return d.callbacks.shouldInterrupt',
      'h:function(a,c,b){b=R(b);return d.callbacks.loadModuleSource',
      'g:function(a,c,b,e){',
      't:function(a,c){d.callbacks.freeHostRef',
    ])
      expect(glue).toContain(mark)
  })
})

/** The global section (6): how many globals can change, which a reset of the memory alone would not bring back. */
const mutableGlobals = (bytes: Uint8Array): number => {
  let at = 8
  const leb = () => {
    let [n, shift] = [0, 0]
    for (;;) {
      const byte = bytes[at++] as number
      n |= (byte & 127) << shift
      if (byte < 128) return n
      shift += 7
    }
  }
  for (;;) {
    const section = bytes[at++]
    const size = leb()
    if (section !== 6) {
      at += size
      continue
    }
    let mutable = 0
    for (let left = leb(); left > 0; left--) {
      at++
      mutable += bytes[at++] as number
      while (bytes[at++] !== 0x0b);
    }
    return mutable
  }
}

describe('the state of an instance', () => {
  test('is its memory and the stack pointer', () => {
    expect(mutableGlobals(wasmBytes)).toBe(1)
  })

  const engine = new Engine(wasm, MEMORY_BYTES_MIN, MEMORY_BYTES_MIN)
  const { exports } = engine
  exports.initialize()
  const runtime = exports.newRuntime()
  const context = exports.newContext(runtime, 0)
  const left = () => engine.view.getInt32(METER.address, true)
  const evaluate = (code: string) => {
    const value = exports.evaluate(context, engine.cString(code), code.length, engine.cString('x'), 0, 0)
    expect(exports.resolveException(context, value)).toBe(0)
  }

  test('holds the program break where LAYOUT says', () => {
    const address = engine.allocate(3 * MIB)
    expect(engine.heapEnd()).toBeGreaterThanOrEqual(address + 3 * MIB)
    expect(engine.heapEnd()).toBeLessThan(address + 3 * MIB + 65_536)
  })

  test('holds the count of fuel where METER says', () => {
    const seen: number[] = []
    engine.events = { tick: () => void seen.push(left()), hostCall: () => 0 }
    evaluate('for (let i = 0; i < 35000; i++);')
    expect(seen.length).toBeGreaterThanOrEqual(3)
    // A tick is what was left and ten thousand; what was taken at once goes below zero.
    const tickUnits = FUEL_TICK * METER.unitsPerFuel
    for (const units of seen) expect(tickUnits - units).toBeLessThanOrEqual(4096)
    const used = (rounds: number) => {
      const before = left()
      evaluate(`for (let i = 0; i < ${rounds}; i++);`)
      return before - left()
    }
    // A round of such a loop polls twice: where it ends, and where it goes round.
    expect(used(300) - used(200)).toBe(200 * METER.unitsPerFuel)
  })

  test('holds the strip flags where LAYOUT says', () => {
    const text = () => {
      const code = '(function f() { return 1 }).toString()'
      const value = exports.evaluate(context, engine.cString(code), code.length, engine.cString('x'), 0, 0)
      return engine.text(context, value, 1000)
    }
    expect(text()).toContain('return 1')
    engine.bytes[runtime + LAYOUT.stripFlags] = 1
    expect(text()).toContain('[native code]')
    engine.bytes[runtime + LAYOUT.stripFlags] = 0
    expect(text()).toContain('return 1')
  })

  test('holds the state of Math.random where LAYOUT says', () => {
    const state = () => engine.view.getBigUint64(context + LAYOUT.randomState, true)
    const before = state()
    evaluate('Math.random()')
    // xorshift64* (Vigna, 2014), as QuickJS has it.
    let next = before ^ (before >> 12n)
    next = BigInt.asUintN(64, next ^ (next << 25n))
    next ^= next >> 27n
    expect(state()).toBe(next)
  })
})
