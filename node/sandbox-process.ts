/**
 * A sandbox process: runs `sandbox/worker.ts` over its standard input and output, each frame preceded by its length.
 * It reads and writes synchronously, since it has nothing else to do, and ends when its input does: with its agent.
 */
import { readFileSync, readSync, writeSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { serveSandbox } from '../sandbox/worker.ts'

const wasmPath = process.argv.at(-1)
const STDIN = 0
const STDOUT = 1
const HEAD_BYTES = 4

const chunk = new Uint8Array(65_536)
/** The part of `chunk` that has been read and not yet been taken. */
let [from, to] = [0, 0]

/** The next `length` bytes; undefined once the input has ended. */
const take = (length: number): Uint8Array | undefined => {
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; ) {
    if (from === to) [from, to] = [0, readSync(STDIN, chunk, 0, chunk.length, null)]
    if (to === 0) return undefined
    const part = chunk.subarray(from, Math.min(to, from + length - at))
    bytes.set(part, at)
    at += part.length
    from += part.length
  }
  return bytes
}

const send = (frame: Uint8Array): void => {
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + frame.length)
  bytes.writeUInt32BE(frame.length)
  bytes.set(frame, HEAD_BYTES)
  for (let at = 0; at < bytes.length; ) at += writeSync(STDOUT, bytes, at)
}

const wasm = new WebAssembly.Module(readFileSync(wasmPath as string))
const worker = serveSandbox({ wasm, send, now: () => performance.now() })
// Now, because a sandbox is killed, and does not get to it at its end.
flushCompileCache()
for (;;) {
  const head = take(HEAD_BYTES)
  const frame = head && take(new DataView(head.buffer).getUint32(0))
  if (!frame) break
  worker.frame(frame)
}
