/** What distinguishes two engines: their memory, and where their stack stands. */
import { joinBytes } from '../protocol/join-bytes.ts'
import { type Engine, WASM_PAGE_BYTES } from './engine.ts'
import { PAGE_BYTES, type Region, type Roots, stackOf, usedRegions } from './image.ts'
import type { Tracer } from './tracer.ts'
import { LAYOUT } from './wasm-names.ts'

const HEAD_BYTES = 8

/**
 * Equal bytes for equal engines. First the number of 64 KiB pages of the memory and the stack pointer; then, for each run of
 * 4 KiB pages that hold anything but zeros, its address, its length and its bytes. Numbers have 32 bits, little-endian.
 * `end`: from where on there are only zeros, if that is known.
 */
export const memoryState = (engine: Engine, end: number = engine.bytes.length): Uint8Array =>
  stateOf(engine.bytes, engine.exports.stackPointer(), usedRegions(engine.bytes, end))

/** Of a memory alone. */
export const bareMemoryState = (bytes: Uint8Array): Uint8Array => stateOf(bytes, 0, usedRegions(bytes, bytes.length))

const stateOf = (bytes: Uint8Array, stackPointer: number, regions: readonly Region[]): Uint8Array => {
  const length = regions.reduce((sum, used) => sum + HEAD_BYTES + used.end - used.at, HEAD_BYTES)
  const state = new Uint8Array(length)
  const view = new DataView(state.buffer)
  view.setUint32(0, bytes.length / WASM_PAGE_BYTES, true)
  view.setUint32(4, stackPointer, true)
  let to = HEAD_BYTES
  for (const used of regions) {
    view.setUint32(to, used.at, true)
    view.setUint32(to + 4, used.end - used.at, true)
    state.set(bytes.subarray(used.at, used.end), to + HEAD_BYTES)
    to += HEAD_BYTES + used.end - used.at
  }
  return state
}

/**
 * Traces a run that has come to `tick`. Looked at is what a sound engine can have written: all but the part of its stack
 * that is beyond its limit. Then come the memories of the modules that the run has used, in the order of the modules.
 */
export const traceEngine = (
  tracer: Tracer,
  tick: number,
  engine: Engine,
  roots: Roots,
  modules: readonly Uint8Array[],
): void => {
  const { bytes } = engine
  const [dataEnd, stackAt, heapEnd] = [roots.stackTop - LAYOUT.stackBytes, stackOf(roots).at, engine.heapEnd()]
  const looked = modules.reduce((sum, { length }) => sum + length, dataEnd + heapEnd - stackAt)
  tracer.at(tick, looked, () => {
    const own = [...usedRegions(bytes, dataEnd), ...usedRegions(bytes, heapEnd, stackAt - (stackAt % PAGE_BYTES))]
    return joinBytes([stateOf(bytes, engine.exports.stackPointer(), own), ...modules.map(bareMemoryState)])
  })
}

/** What two states hold that are not equal: the first address, or what else differs, in words. */
export const stateDifference = (a: Uint8Array, b: Uint8Array): string => {
  const [left, right] = [readState(a), readState(b)]
  if (left.pages !== right.pages) return `${left.pages} and ${right.pages} pages of memory`
  if (left.stack !== right.stack) return `the stack at ${left.stack} and at ${right.stack}`
  const at = left.bytes.findIndex((byte, i) => byte !== right.bytes[i])
  return at < 0 ? 'nothing' : `address ${at}: ${left.bytes[at]} and ${right.bytes[at]}`
}

const readState = (state: Uint8Array) => {
  const view = new DataView(state.buffer, state.byteOffset)
  const [pages, stack] = [view.getUint32(0, true), view.getUint32(4, true)]
  const bytes = new Uint8Array(pages * WASM_PAGE_BYTES)
  for (let from = HEAD_BYTES; from < state.length; ) {
    const [at, length] = [view.getUint32(from, true), view.getUint32(from + 4, true)]
    bytes.set(state.subarray(from + HEAD_BYTES, from + HEAD_BYTES + length), at)
    from += HEAD_BYTES + length
  }
  return { pages, stack, bytes }
}
