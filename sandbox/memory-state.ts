/** What distinguishes two engines at rest: their memory, and where their stack stands. */
import { type Engine, WASM_PAGE_BYTES } from './engine.ts'
import { usedRegions } from './image.ts'

const HEAD_BYTES = 8

/**
 * Equal bytes for equal engines. First the number of 64 KiB pages of the memory and the stack pointer; then, for each run of
 * 4 KiB pages that hold anything but zeros, its address, its length and its bytes. Numbers have 32 bits, little-endian.
 * `end`: from where on there are only zeros, if that is known.
 */
export const memoryState = (engine: Engine, end: number = engine.bytes.length): Uint8Array => {
  const { bytes } = engine
  const regions = usedRegions(bytes, end)
  const length = regions.reduce((sum, used) => sum + HEAD_BYTES + used.end - used.at, HEAD_BYTES)
  const state = new Uint8Array(length)
  const view = new DataView(state.buffer)
  view.setUint32(0, bytes.length / WASM_PAGE_BYTES, true)
  view.setUint32(4, engine.exports.stackPointer(), true)
  let to = HEAD_BYTES
  for (const used of regions) {
    view.setUint32(to, used.at, true)
    view.setUint32(to + 4, used.end - used.at, true)
    state.set(bytes.subarray(used.at, used.end), to + HEAD_BYTES)
    to += HEAD_BYTES + used.end - used.at
  }
  return state
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
