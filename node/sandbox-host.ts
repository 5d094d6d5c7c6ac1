/** The SandboxHost port on Node: each sandbox a child process that inherits nothing and reaches nothing. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import type { Readable as Output, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { type FailPoints, NO_FAIL_POINTS } from '../protocol/fail-points.ts'
import { KIB, MIB } from '../protocol/limits.ts'
import type { SandboxHandlers, SandboxHost, SandboxProcess } from '../protocol/ports.ts'
import { REPORT_FRAME_BYTES_MAX } from '../sandbox/frames.ts'
import { compiledCode } from './compiled-code.ts'
import { type Command, confinedStart, missingWords, permittedStart, type Readable } from './confinement.ts'
import { RELEASES, type SandboxRelease } from './sandbox-releases.ts'
import { SharedFrames } from './shared-frames.ts'

type Child = ChildProcessByStdio<Writable, Output, Output>

const HEAD_BYTES = 4
/** Beside the length of a path: what stands there is the frame. */
const SHARED = 0x8000_0000
/** To copy a frame that is larger takes longer than to write it in two parts. */
const COPIED_BYTES_MAX = 16 * KIB
const PROGRAM = new URL('./sandbox-process.ts', import.meta.url)
/** Starts the program with a cache of compiled code, if there is one: 30 ms instead of 200. */
const START = `import { enableCompileCache } from 'node:module'
const [, cache, program] = process.argv
if (cache) enableCompileCache(cache)
await import(program)`

/** Of the Node that runs a sandbox. */
export const SANDBOX_FLAGS = [
  // KiB of native stack, of the 8 MiB that a main thread has: far more than the engine's own check lets it use (sandbox/README.md,
  // "Stack depth").
  '--stack-size=7000',
  // The heap holds one input and one output and what they are decoded to. V8 counts the memory of engines and images too,
  // 16 MiB for each engine, and near the limit it collects all whenever one is made: so this is far beyond them (decision
  // 35). What a process may take of the machine, the system bounds (confinement.ts).
  '--max-old-space-size=1024',
  '--max-semi-space-size=4',
]

/** `prepares`: it makes what a first run needs before one comes. */
const argsOf = (program: URL, { worker, wasm }: SandboxRelease, cache = '', prepares = false): string[] => [
  ...[...SANDBOX_FLAGS, '--input-type=module', '--eval', START, '--'],
  ...[cache, program.href, worker.href, fileURLToPath(wasm), prepares ? 'prepare' : ''],
]

/** What the program and its releases are made of: where it is published, all that lies beside it. */
const ownPaths = (releases: readonly SandboxRelease[]): string[] => {
  const folder = dirname(fileURLToPath(PROGRAM))
  const sources = ['node', 'protocol', 'sandbox', 'node_modules', 'package.json']
  const own = PROGRAM.href.endsWith('.ts') ? sources.map((name) => join(folder, '..', name)) : [folder]
  const others = releases.map(({ worker }) => dirname(fileURLToPath(worker)))
  return [...own, ...others.filter((path) => !own.some((one) => `${path}/`.startsWith(`${one}/`)))]
}

/** Kept of what a process says on its standard error, to explain why it ended. */
const COMPLAINT_BYTES_MAX = 2000

/** What `unshare` of util-linux 2.38 says when a signal ended what it kept. */
const SIGNALLED = /^unshare: sigprocmask unblock failed/m

/** How the sandbox processes of a host are held: cut off by the system, or, as `lacks` says why, by Node alone. */
export interface Confinement {
  cut_off: boolean
  lacks: string | null
}

export interface NodeSandboxHost extends SandboxHost {
  /** Starts a process to find out, unless one has been started already; it is spare then, and prepares. Known once one has come up. */
  confinement(): Promise<Confinement>
}

/** `program`: what its processes run, for tests of what holds them. `releases`: the newest first. */
export const createSandboxHost = (
  failPoints: FailPoints = NO_FAIL_POINTS,
  program: URL = PROGRAM,
  releases: readonly [SandboxRelease, ...SandboxRelease[]] = RELEASES,
): NodeSandboxHost => new Host(failPoints, program, releases)

const NOTHING = new Uint8Array(0)

const headed = (head: number, bytes: Uint8Array = NOTHING): Uint8Array => {
  const all = Buffer.allocUnsafe(HEAD_BYTES + bytes.length)
  all.writeUInt32BE(head >>> 0)
  all.set(bytes, HEAD_BYTES)
  return all
}

class Host implements NodeSandboxHost {
  readonly #failPoints: FailPoints
  readonly #program: URL
  readonly #releases: readonly [SandboxRelease, ...SandboxRelease[]]
  readonly #known = Promise.withResolvers<Confinement>()
  #cutOff: boolean | undefined
  #readable: Readable | undefined
  #spare: SandboxProcess | undefined
  #shared: SharedFrames | undefined

  constructor(failPoints: FailPoints, program: URL, releases: readonly [SandboxRelease, ...SandboxRelease[]]) {
    this.#failPoints = failPoints
    this.#program = program
    this.#releases = releases
  }

  spawn(engine = ''): SandboxProcess {
    const release = this.#releases.find(({ engines }) => engines.includes(engine)) ?? this.#releases[0]
    const process = new ChildSandbox(this, this.#failPoints, release)
    process.mayFail('sandbox.spawn')
    return process
  }

  spare(): SandboxProcess | undefined {
    const spare = this.#spare
    this.#spare = undefined
    return spare
  }

  confinement(): Promise<Confinement> {
    if (!this.#readable) this.#spare = new ChildSandbox(this, this.#failPoints, this.#releases[0], true)
    return this.#known.promise
  }

  ended(process: SandboxProcess): void {
    if (this.#spare === process) this.#spare = undefined
  }

  /** There is a folder once there is a process, which must know of it when it starts. */
  #sharing(): SharedFrames {
    this.#shared ??= new SharedFrames()
    return this.#shared
  }

  offer(frame: Uint8Array): () => void {
    return this.#sharing().offer(frame)
  }

  sharedPath(frame: Uint8Array): string | undefined {
    return this.#shared?.pathOf(frame)
  }

  /** What starts a process, and whether it cuts it off. */
  command(release: SandboxRelease, prepares: boolean): { command: Command; cutsOff: boolean } {
    const own = ownPaths(this.#releases)
    this.#readable ??= {
      ...{ own, cache: compiledCode(own, (cache) => argsOf(PROGRAM, this.#releases[0], cache)) },
      shared: this.#sharing().folder,
    }
    if (this.#cutOff !== false) {
      try {
        const args = argsOf(this.#program, release, this.#readable.cache, prepares)
        return { command: confinedStart(this.#readable, args), cutsOff: true }
      } catch (error) {
        this.#decide(false, (error as Error).message)
      }
    }
    return { command: permittedStart(this.#readable, argsOf(this.#program, release, '', prepares)), cutsOff: false }
  }

  /** A process that is cut off works. */
  worked(): void {
    this.#decide(true)
  }

  /** One that should have been cut off did not come up: true if another start may do without. */
  refused(reason: string): boolean {
    if (this.#cutOff === true) return false
    this.#decide(false, reason)
    return true
  }

  #decide(cutOff: boolean, reason = ''): void {
    if (this.#cutOff !== undefined) return
    this.#cutOff = cutOff
    this.#known.resolve({ cut_off: cutOff, lacks: cutOff ? null : missingWords(reason) })
  }
}

class ChildSandbox implements SandboxProcess {
  readonly #host: Host
  readonly #release: SandboxRelease
  readonly #prepares: boolean
  readonly #failPoints: FailPoints
  #child!: Child
  #reader!: FrameReader
  #handlers: SandboxHandlers | undefined
  #complaint = ''
  #killed = false
  /** What was sent to a process that has not come up yet: another may have to be started in its place. */
  #unheard: Uint8Array[] | undefined = []

  constructor(host: Host, failPoints: FailPoints, release: SandboxRelease, prepares = false) {
    this.#host = host
    this.#prepares = prepares
    this.#release = release
    this.#failPoints = failPoints
    this.#start()
  }

  get engines(): readonly string[] {
    return this.#release.engines
  }

  get starting(): boolean {
    return this.#unheard !== undefined
  }

  send(frame: Uint8Array): void {
    this.mayFail('sandbox.send')
    const path = this.#host.sharedPath(frame)
    if (path !== undefined) return this.#write([headed(SHARED | path.length, Buffer.from(path))])
    if (frame.length <= COPIED_BYTES_MAX) this.#write([headed(frame.length, frame)])
    else this.#write([headed(frame.length), frame])
  }

  #write(parts: readonly Uint8Array[]): void {
    this.#unheard?.push(...parts)
    const { stdin } = this.#child
    if (parts.length > 1) {
      // It leaves in one go with what is sent behind it.
      stdin.cork()
      process.nextTick(() => stdin.uncork())
    }
    for (const part of parts) stdin.write(part)
  }

  receive(handlers: SandboxHandlers): void {
    this.#handlers = handlers
  }

  kill(): void {
    this.#killed = true
    this.#child.kill('SIGKILL')
  }

  #start(): void {
    const { command, cutsOff } = this.#host.command(this.#release, this.#prepares)
    this.#complaint = ''
    this.#reader = new FrameReader((frame) => this.#take(frame, cutsOff))
    const options = {
      cwd: '/',
      env: {},
      stdio: ['pipe', 'pipe', 'pipe'] as ['pipe', 'pipe', 'pipe'],
      windowsHide: true,
    }
    this.#child = spawn(command.file, command.args, options)
    this.#child.stdout.on('data', (chunk: Buffer) => this.#read(chunk))
    this.#child.stderr.on('data', (chunk: Buffer) => {
      this.#complaint = (this.#complaint + chunk).slice(0, COMPLAINT_BYTES_MAX)
    })
    // What is written to a process that has ended is lost, and 'exit' tells.
    this.#child.stdin.on('error', () => {})
    this.#watchEnd(this.#child, cutsOff)
  }

  #watchEnd(child: Child, cutsOff: boolean): void {
    let over = false
    const ended = (how: string) => {
      if (over) return
      over = true
      if (SIGNALLED.test(this.#complaint)) how = 'a signal'
      const lines = how === 'a signal' ? [] : this.#complaint.trim().split('\n')
      const again = !this.#killed && this.#unheard && cutsOff && this.#host.refused(lines[0] || how)
      if (!again) return this.#exited(lines.at(-1) ? `${how}: ${lines.at(-1)}` : how)
      this.#start()
      for (const bytes of this.#unheard as Uint8Array[]) this.#child.stdin.write(bytes)
    }
    const howEnded = (code: number | null, signal: string | null) => (signal ? `signal ${signal}` : `exit code ${code}`)
    child.on('error', (error) => ended(error.message))
    child.on('exit', (code, signal) => {
      if (this.#killed || !this.#unheard) ended(howEnded(code, signal))
    })
    // Where it did not come up, because what it said of the reason must be here.
    child.on('close', (code, signal) => ended(howEnded(code, signal)))
  }

  /** The first frame is empty, and says that the process has come up. */
  #take(frame: Uint8Array, cutsOff: boolean): void {
    if (!this.#unheard) return this.#handlers?.frame(frame)
    this.#unheard = undefined
    if (cutsOff) this.#host.worked()
    this.#handlers?.up?.()
  }

  /** A sandbox process fails by ending. */
  mayFail(name: 'sandbox.spawn' | 'sandbox.send'): void {
    try {
      this.#failPoints.hit(name)
    } catch {
      this.kill()
    }
  }

  #read(chunk: Buffer): void {
    if (this.#killed) return
    if (!this.#reader.push(chunk)) {
      this.#complaint = `a frame of more than ${REPORT_FRAME_BYTES_MAX / MIB} MiB`
      this.kill()
    }
  }

  #exited(reason: string): void {
    const handlers = this.#handlers
    this.#handlers = undefined
    this.#host.ended(this)
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
