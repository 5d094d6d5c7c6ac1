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

/** False: the input has ended. */
const readInto = (buffer: Uint8Array): boolean => {
  for (let at = 0; at < buffer.length; ) {
    const count = readSync(STDIN, buffer, at, buffer.length - at, null)
    if (count === 0) return false
    at += count
  }
  return true
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
const head = Buffer.alloc(HEAD_BYTES)
while (readInto(head)) {
  const frame = new Uint8Array(head.readUInt32BE())
  if (!readInto(frame)) break
  worker.frame(frame)
}
