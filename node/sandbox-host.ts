/** The SandboxHost port on Node: each sandbox a child process that inherits nothing. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { getCompileCacheDir } from 'node:module'
import { constants, setPriority } from 'node:os'
import { dirname } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { type FailPoints, NO_FAIL_POINTS } from '../protocol/fail-points.ts'
import { MIB } from '../protocol/limits.ts'
import type { SandboxHost, SandboxProcess } from '../protocol/ports.ts'
import { REPORT_FRAME_BYTES_MAX } from '../sandbox/frames.ts'

type Child = ChildProcessByStdio<Writable, Readable, Readable>
type Handlers = Parameters<SandboxProcess['receive']>[0]

const HEAD_BYTES = 4
const WASM = fileURLToPath(new URL('../sandbox/quickjs.wasm', import.meta.url))
const PROGRAM = new URL('./sandbox-process.ts', import.meta.url).href
/** Starts the program with the cache of compiled code that this process has, if it has one: 30 ms instead of 200. */
const START = `import { enableCompileCache } from 'node:module'
const [, cache, program] = process.argv
if (cache) enableCompileCache(cache)
await import(program)`

/** Of the Node that runs a sandbox. */
export const SANDBOX_FLAGS = [
  // KiB of native stack, of the 8 MiB that a main thread has: the engine's own check must fire first (sandbox/README.md,
  // "Stack depth").
  '--stack-size=7000',
  // The heap holds one input and one output and what they are decoded to; the guest's memory is not in it.
  '--max-old-space-size=256',
  '--max-semi-space-size=4',
]

/** Kept of what a process says on its standard error, to explain why it ended. */
const COMPLAINT_BYTES_MAX = 2000

export const createSandboxHost = (failPoints: FailPoints = NO_FAIL_POINTS): SandboxHost => ({
  spawn: () => new ChildSandbox(failPoints),
})

class ChildSandbox implements SandboxProcess {
  readonly #child: Child
  readonly #reader = new FrameReader((frame) => this.#handlers?.frame(frame))
  #handlers: Handlers | undefined
  #complaint = ''
  #killed = false
  readonly #failPoints: FailPoints

  constructor(failPoints: FailPoints) {
    this.#failPoints = failPoints
    const cache = getCompileCacheDir()
    const parameters = [cache ? dirname(cache) : '', PROGRAM, WASM]
    this.#child = spawn(
      process.execPath,
      [...SANDBOX_FLAGS, '--input-type=module', '--eval', START, '--', ...parameters],
      {
        cwd: '/',
        env: {},
        stdio: ['pipe', 'pipe', 'pipe'],
        windowsHide: true,
      },
    )
    this.#yieldToOthers()
    this.#child.stdout.on('data', (chunk: Buffer) => this.#read(chunk))
    this.#child.stderr.on('data', (chunk: Buffer) => {
      this.#complaint = (this.#complaint + chunk).slice(0, COMPLAINT_BYTES_MAX)
    })
    // What is written to a process that has ended is lost, and 'exit' tells.
    this.#child.stdin.on('error', () => {})
    this.#child.on('error', (error) => this.#exited(error.message))
    this.#child.on('exit', (code, signal) => this.#exited(this.#reason(code, signal)))
    this.#mayFail('sandbox.spawn')
  }

  send(frame: Uint8Array): void {
    this.#mayFail('sandbox.send')
    const bytes = Buffer.allocUnsafe(HEAD_BYTES + frame.length)
    bytes.writeUInt32BE(frame.length)
    bytes.set(frame, HEAD_BYTES)
    this.#child.stdin.write(bytes)
  }

  receive(handlers: Handlers): void {
    this.#handlers = handlers
  }

  kill(): void {
    this.#killed = true
    this.#child.kill('SIGKILL')
  }

  /** A sandbox process fails by ending. */
  #mayFail(name: 'sandbox.spawn' | 'sandbox.send'): void {
    try {
      this.#failPoints.hit(name)
    } catch {
      this.kill()
    }
  }

  /** A guest's work must never slow down what the machine's owner does. */
  #yieldToOthers(): void {
    if (this.#child.pid === undefined) return
    try {
      setPriority(this.#child.pid, constants.priority.PRIORITY_LOW)
    } catch {
      // Some systems forbid it; the sandbox works all the same.
    }
  }

  #read(chunk: Buffer): void {
    if (this.#killed) return
    if (!this.#reader.push(chunk)) {
      this.#complaint = `a frame of more than ${REPORT_FRAME_BYTES_MAX / MIB} MiB`
      this.kill()
    }
  }

  #reason(code: number | null, signal: NodeJS.Signals | null): string {
    const how = signal ? `signal ${signal}` : `exit code ${code}`
    const complaint = this.#complaint.trim().split('\n').at(-1)
    return complaint ? `${how}: ${complaint}` : how
  }

  #exited(reason: string): void {
    const handlers = this.#handlers
    this.#handlers = undefined
    handlers?.exited(reason)
  }
}

/** Cuts a stream of bytes into frames. */
class FrameReader {
  readonly #deliver: (frame: Uint8Array) => void
  #chunks: Buffer[] = []
  #bytes = 0
  /** Of the frame that comes now, once its head has been read. */
  #length: number | undefined

  constructor(deliver: (frame: Uint8Array) => void) {
    this.#deliver = deliver
  }

  /** False: a frame announces more bytes than any may have. */
  push(chunk: Buffer): boolean {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    for (let part = this.#take(); part; part = this.#take()) {
      if (this.#length === undefined) {
        this.#length = part.readUInt32BE()
        if (this.#length > REPORT_FRAME_BYTES_MAX) return false
      } else {
        this.#length = undefined
        this.#deliver(part)
      }
    }
    return true
  }

  /** The next head or frame, if all of it is here. */
  #take(): Buffer | undefined {
    const wanted = this.#length ?? HEAD_BYTES
    if (this.#bytes < wanted) return undefined
    const joined = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks)
    this.#chunks = [joined.subarray(wanted)]
    this.#bytes = joined.length - wanted
    return joined.subarray(0, wanted)
  }
}
