/**
 * A sandbox process: runs `sandbox/worker.ts` over its standard input and output, each frame preceded by its length.
 * It reads and writes synchronously, since it has nothing else to do, and ends when its input does: with its agent.
 */
import { closeSync, fstatSync, openSync, readFileSync, readSync, writeSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { constants, setPriority } from 'node:os'

const [workerUrl, wasmPath, prepares] = process.argv.slice(-3)
const STDIN = 0
const STDOUT = 1
const HEAD_BYTES = 4

const input = Buffer.allocUnsafeSlow(65_536)
/** The part of `input` that has been read and not yet been taken. */
let [from, to] = [0, 0]

/** Reads on until `buffer`, which is filled up to `at`, has `length` bytes or more: returns how many, 0 once the input has ended. */
const fill = (buffer: Buffer, at: number, length: number): number => {
  while (at < length) {
    const count = readSync(STDIN, buffer, at, buffer.length - at, null)
    if (count === 0) return 0
    at += count
  }
  return at
}

/** Reads until `length` bytes of the input are there to be taken; false once it has ended. */
const read = (length: number): boolean => {
  if (from === to || from + length > input.length) {
    to = input.copy(input, 0, from, to)
    from = 0
  }
  to = fill(input, to, from + length)
  return to > 0
}

/** Set in a head: a path follows, and what stands there is the frame. */
const SHARED = 0x8000_0000

const frameBytes = (): number => HEAD_BYTES + (input.readUInt32BE(from) & ~SHARED)

/**
 * For a large frame. It has been written to: the system gives memory page by page, when each is first written, which takes 0.5 ms
 * for a megabyte.
 */
const landing = Buffer.allocUnsafeSlow(2 * 1024 * 1024).fill(1)
/** A large frame is there, and what is to be done with it comes. */
let landed = false

const roomFor = (length: number): Buffer => {
  if (landed || length > landing.length) return Buffer.allocUnsafeSlow(length)
  landed = true
  return landing.subarray(0, length)
}

/** The next frame: good until the next call, or, if it is larger than the input's buffer, until the one behind it is done. */
const take = (): Uint8Array | undefined => {
  if (!read(HEAD_BYTES)) return undefined
  const [length, shared] = [frameBytes(), input.readUInt32BE(from) >= SHARED]
  if (length > input.length) return takeLarge(length - HEAD_BYTES)
  if (!read(length)) return undefined
  from += length
  const frame = input.subarray(from - length + HEAD_BYTES, from)
  return shared ? readShared(frame.toString()) : frame
}

/** Its agent takes it away when there are others that are used more: then there is none, and it asks for what it lacks. */
const readShared = (path: string): Uint8Array => {
  try {
    const file = openSync(path, 'r')
    const frame = roomFor(fstatSync(file).size)
    for (let at = 0; at < frame.length; ) at += readSync(file, frame, at, frame.length - at, null)
    closeSync(file)
    return frame
  } catch {
    return Uint8Array.of(0)
  }
}

const takeLarge = (length: number): Uint8Array | undefined => {
  const frame = roomFor(length)
  const at = input.copy(frame, 0, from + HEAD_BYTES, to)
  from = to
  return fill(frame, at, length) > 0 ? frame : undefined
}

/** Could `take` do without reading? */
const hasNext = (): boolean => to - from >= HEAD_BYTES && to - from >= frameBytes()

const send = (frame: Uint8Array): void => {
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + frame.length)
  bytes.writeUInt32BE(frame.length)
  bytes.set(frame, HEAD_BYTES)
  for (let at = 0; at < bytes.length; ) at += writeSync(STDOUT, bytes, at)
}

const wasm = new WebAssembly.Module(readFileSync(wasmPath as string))
const { serveSandbox } = (await import(workerUrl as string)) as typeof import('../sandbox/worker.ts')
/** Loaded when it is needed: few runs are traced. */
const hash = (bytes: Uint8Array): Uint8Array =>
  new Uint8Array(process.getBuiltinModule('node:crypto').hash('sha256', bytes, 'buffer'))
const worker = serveSandbox({ wasm, send, hash, now: () => performance.now() })
// Now, because a sandbox is killed, and does not get to it at its end.
flushCompileCache()
try {
  // A guest's work must never slow down what the machine's owner does.
  setPriority(constants.priority.PRIORITY_LOW)
} catch {
  // Some systems forbid it; the sandbox works all the same.
}
// Its first word, which is empty: it has come up.
send(new Uint8Array(0))
if (prepares) worker.prepare()
for (let frame = take(); frame; frame = take()) {
  worker.frame(frame, hasNext())
  landed &&= frame.buffer !== input.buffer
}
