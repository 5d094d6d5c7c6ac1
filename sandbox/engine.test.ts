import { describe, expect, test } from 'vitest'
import { MEMORY_BYTES_MIN, MIB } from '../protocol/limits.ts'
import { Bases } from './base.ts'
import { Engine, EngineFault } from './engine.ts'
import { Execution } from './execution.ts'
import { bytesOf, runOf, wasm } from './fixture.ts'
import { engineFromImage, type Image } from './image.ts'
import { loadFunction } from './load.ts'
import { METER } from './wasm-names.ts'

const imageOf = (module: string, memoryBytes = 32 * MIB): Image => {
  const loaded = loadFunction(new Bases(wasm), bytesOf(module), memoryBytes)
  if (!('image' in loaded)) throw new Error(loaded.failure.message)
  return loaded.image
}

/** Runs once in a fresh engine, after `change` has been made to it. */
const runAfter = (module: string, change: (engine: Engine, image: Image) => void) => {
  const image = imageOf(module)
  const engine = engineFromImage(wasm, image)
  change(engine, image)
  return new Execution(engine, image, runOf(), [], {})
}

describe('what no sound engine does ends the run without an outcome, and the engine is not used again', () => {
  test('fuel that does not count', () => {
    const { result, spoilt } = runAfter('export default () => 1', (engine) => {
      engine.view.setInt32(METER.address, 1_000_000_000, true)
    })
    expect([result, spoilt]).toEqual([{ kind: 'inconclusive', reason: 'Error: fuel does not count' }, true])
  })

  test('a count of fuel that is out of bounds', () => {
    const { result } = runAfter('export default () => { for (let i = 0; i < 9; i++); return 1 }', (engine) => {
      const free = engine.exports.freeValue
      engine.exports.freeValue = (...args) => {
        engine.view.setInt32(METER.address, 1_000_000_000, true)
        return free(...args)
      }
    })
    expect(result).toEqual({ kind: 'inconclusive', reason: 'Error: the count of fuel is out of bounds' })
  })

  test('a pointer out of bounds', () => {
    const { result } = runAfter('export default () => 1', (engine) => {
      engine.exports.call = () => 0xffff_fff0
    })
    expect(result).toEqual({ kind: 'inconclusive', reason: 'Error: a pointer out of bounds' })
  })

  test('a string without an end', () => {
    const { result } = runAfter('export default () => 1', (engine) => {
      engine.exports.getString = () => {
        engine.bytes.fill(65, engine.bytes.length - 1000)
        return engine.bytes.length - 1000
      }
    })
    expect(result).toEqual({ kind: 'inconclusive', reason: 'Error: a string without an end' })
  })

  test('memory that this machine does not have, though the guest may', () => {
    const { result } = runAfter('export default () => new Uint8Array(2e7).length', (engine) => {
      engine.memory.grow = () => {
        throw new RangeError('Maximum memory size exceeded')
      }
    })
    expect(result).toEqual({ kind: 'inconclusive', reason: 'Error: this machine has no memory left' })
  })

  test('a trap, and a stack that the host ends', () => {
    for (const thrown of [new WebAssembly.RuntimeError(), new RangeError('Maximum call stack size exceeded')]) {
      const { result, spoilt } = runAfter('export default () => 1', (engine) => {
        engine.exports.call = () => {
          throw thrown
        }
      })
      expect([result?.kind, spoilt]).toEqual(['inconclusive', true])
    }
  })
})

test('pointers are checked to the byte', () => {
  const engine = new Engine(wasm, MEMORY_BYTES_MIN, MEMORY_BYTES_MIN)
  expect(engine.place(MEMORY_BYTES_MIN - 8, 8)).toBe(MEMORY_BYTES_MIN - 8)
  for (const [address, length] of [
    [0, 1],
    [MEMORY_BYTES_MIN - 7, 8],
    [-1, 1],
    [16, MEMORY_BYTES_MIN],
  ] as const)
    expect(() => engine.place(address, length)).toThrow(EngineFault)
})

test('an image is the same each time it is made', () => {
  const module = 'const words = new Map([["a", [1, 2]]]); export default () => words.size'
  expect(imageOf(module)).toEqual(imageOf(module))
})
