/** The worker's side: serves one pool, in a process or worker of its own. Nothing here outlives it. */
import { KIB, MIB } from '../protocol/limits.ts'
import type { Bases } from './base.ts'
import {
  type Command,
  decodeCommands,
  encodeFrame,
  IMAGE_FILE_BYTES_MAX,
  type Report,
  type RunRecord,
} from './frames.ts'
import { isImageFile } from './image-file.ts'
import type { CodeForm, Run, SandboxResult } from './job.ts'
import { createCutPut } from './large-puts.ts'
import { plainText } from './plain-text.ts'
import { createSandbox, type RunHandle, type Sandbox } from './sandbox.ts'
import { Tracer } from './tracer.ts'

export interface WorkerPorts {
  /** The engine's binary. */
  wasm: WebAssembly.Module
  /** As `SandboxOptions` has them. */
  bases?: Bases
  send(frame: Uint8Array): void
  /** SHA-256. Called for runs that are traced, and for what is put in blocks. */
  hash(bytes: Uint8Array): Uint8Array
  /** Never goes back, ms. Only for reports on speed: nothing of it reaches a guest. */
  now(): number
  /** Where the host lends a share of a core only. */
  pace?: {
    /** Is it time to rest? Asked while a guest computes, often. */
    due(): boolean
    /** Stops the thread for as long as is due. */
    rest(): void
  }
}

export interface SandboxWorker {
  /** Where nothing has come yet, and is not expected at once: makes what a first run needs. */
  prepare(): void
  /**
   * Takes a frame of the pool and does what it says before it returns; an image must not change until
   * the frame behind it has been done. `more`: the next one is here already.
   */
  frame(frame: Uint8Array, more?: boolean): void
}

/** Often enough that a caller sees a run move, seldom enough to cost nothing. */
const FUEL_REPORT_MS = 250
/** Up to 2 ms of a module's work: a pause is asked for as often as the interpreter asks. */
const SLICE_GAS = 2 ** 22
/** While there is more to do, results wait for each other: each frame wakes the agent, which costs as much as a result. */
const COALESCE_MS = 2
const COALESCE_BYTES_MAX = 64 * KIB
/** Evaluating a module again may cost less than to read its image. */
export const WORTH_KEEPING_MS = 4
/** Modules kept beside their images, to make an image with another memory limit. */
const CODE_BYTES_MAX = 32 * MIB

export const serveSandbox = (ports: WorkerPorts): SandboxWorker => new Worker(ports)

interface KeptCode extends CodeForm {
  bytes: Uint8Array
}

class Worker implements SandboxWorker {
  readonly #ports: WorkerPorts
  readonly #sandbox: Sandbox
  readonly #waiting = new Map<number, RunHandle>()
  /** Of runs that have not ended. */
  readonly #tracers = new Map<number, Tracer>()
  /** By run: the request that it ends before. */
  readonly #until = new Map<number, number>()
  /** Runs that are to tell of their checkpoints. */
  readonly #resting = new Set<number>()
  /** By run: the checkpoint that it goes on from. */
  readonly #from = new Map<number, Uint8Array>()
  /** What came first is first. */
  readonly #code = new Map<string, KeptCode>()
  #codeBytes = 0
  #reports: Report[] = []
  #reportBytes = 0
  #flushedAt = 0
  #stepAt = 0
  /** What was loaded last, if that took long. */
  #worthKeeping: { functionId: string; memoryBytes: number } | undefined
  #fuelAt = 0
  /** That the next frame speaks of. */
  #images: Uint8Array[] = []

  constructor(ports: WorkerPorts) {
    this.#ports = ports
    const { wasm, bases, hash, pace } = ports
    this.#sandbox = createSandbox({ wasm, bases, cutPut: createCutPut(hash), sliceGas: pace && SLICE_GAS })
  }

  prepare(): void {
    this.#sandbox.rest()
  }

  frame(frame: Uint8Array, more = false): void {
    if (isImageFile(frame)) {
      this.#images.push(frame)
      return
    }
    if (this.#reports.length === 0) this.#flushedAt = this.#ports.now()
    for (const command of decodeCommands(frame)) this.#obey(command)
    if (more) return this.#sandbox.rest(false)
    this.#flush()
    this.#sandbox.rest()
    this.#exportImage()
  }

  #obey(command: Command): void {
    switch (command[0]) {
      case 'code':
        return this.#keepCode(command[1], {
          ...{ tier: command[2], modules: command[3], bytes: command[4], env: command[5], effects: command[6] },
        })
      case 'image':
        return this.#restore(command[1], command[2])
      case 'runs':
        for (const record of command[7]) this.#step(record[0], () => this.#start(command, record))
        return
      case 'answer': {
        const [, id, n, answer] = command
        return this.#step(id, () => {
          const handle = this.#waiting.get(id)
          handle?.answer(n, answer)
          return handle
        })
      }
      case 'trace':
        this.#tracers.set(command[1], new Tracer(command[2], this.#ports.hash))
        return
      case 'until':
        this.#until.set(command[1], command[2])
        return
      case 'rests':
        this.#resting.add(command[1])
        return
      case 'from':
        this.#from.set(command[1], command[2])
        return
      case 'drop':
        this.#waiting.get(command[1])?.abandon()
        this.#waiting.delete(command[1])
        this.#forget(command[1])
    }
  }

  #keepCode(functionId: string, code: KeptCode): void {
    if (this.#code.has(functionId)) return
    this.#code.set(functionId, code)
    this.#codeBytes += code.bytes.length
    for (const [oldest, { bytes }] of this.#code) {
      if (this.#codeBytes <= CODE_BYTES_MAX || oldest === functionId) break
      this.#code.delete(oldest)
      this.#codeBytes -= bytes.length
    }
  }

  #load(functionId: string, code: KeptCode, memoryBytes: number, owner: string): void {
    const from = this.#ports.now()
    this.#sandbox.load(functionId, code.bytes, memoryBytes, code, owner)
    if (this.#ports.now() - from >= WORTH_KEEPING_MS) this.#worthKeeping = { functionId, memoryBytes }
  }

  #restore(functionId: string, memoryBytes: number): void {
    try {
      this.#sandbox.restore(functionId, memoryBytes, this.#images.shift() as Uint8Array)
    } catch {
      // One that does not fit is none: the module is evaluated.
    }
  }

  #exportImage(): void {
    if (!this.#worthKeeping) return
    const { functionId, memoryBytes } = this.#worthKeeping
    this.#worthKeeping = undefined
    const file = this.#sandbox.exported(functionId, memoryBytes)
    if (file && file.length <= IMAGE_FILE_BYTES_MAX)
      this.#ports.send(encodeFrame([['image', memoryBytes, functionId, file]]))
  }

  /** Undefined: the function's code is not here. */
  #start(command: Command & { 0: 'runs' }, [id, input, seed, journal]: RunRecord): RunHandle | undefined {
    const [, functionId, exportName, effects, fuel, memory_bytes, output_bytes, , owner] = command
    if (!this.#sandbox.has(functionId, memory_bytes)) {
      const code = this.#code.get(functionId)
      if (!code) return undefined
      this.#load(functionId, code, memory_bytes, owner)
    }
    // What loading took says nothing about the next run.
    this.#stepAt = this.#ports.now()
    const limits = { fuel, memory_bytes, output_bytes }
    const until = this.#until.get(id)
    const from = this.#from.get(id)
    const run: Run = { owner, exportName, effects, input, seed, limits, journal, until, from }
    this.#fuelAt = this.#stepAt
    return this.#sandbox.run(functionId, run, {
      requested: ({ n, after, kind, arguments: bytes }) =>
        this.#report(['request', id, n, after, kind, bytes], bytes.length),
      block: (bytes) => this.#report(['block', id, bytes], bytes.length),
      progress: (used) => this.#progress(id, used),
      ...(this.#resting.has(id) && { rested: (answers, checkpoint) => this.#rested(id, answers, checkpoint()) }),
      stopped: ({ request: { n, after, kind, arguments: bytes }, console, fuel: used }) =>
        this.#report(['stopped', id, n, after, kind, bytes, console, used], bytes.length),
      tracer: this.#tracers.get(id),
    })
  }

  #rested(id: number, answers: number, checkpoint: Uint8Array | undefined): void {
    if (checkpoint) this.#report(['rested', id, answers, checkpoint], checkpoint.length)
  }

  #progress(id: number, fuel: number): void {
    const now = this.#ports.now()
    if (now - this.#fuelAt >= FUEL_REPORT_MS) {
      this.#fuelAt = now
      this.#report(['fuel', id, fuel], 0)
    }
    if (now - this.#flushedAt >= COALESCE_MS) this.#flush()
    this.#restIfDue()
  }

  /** A guest never knows: its machine is as slow as that. What is to be told is told first. */
  #restIfDue(): void {
    if (!this.#ports.pace?.due()) return
    this.#flush()
    this.#ports.pace.rest()
  }

  /** One step of run `id`, and the report that ends it. */
  #step(id: number, act: () => RunHandle | undefined): void {
    this.#stepAt = this.#ports.now()
    let handle: RunHandle | undefined
    try {
      handle = act()
    } catch (thrown) {
      // The module could not be evaluated: the engine or this machine failed, not the function.
      this.#forget(id)
      return this.#report(['failed', id, plainText(String(thrown), 1000)], 0)
    }
    if (handle && !handle.result) this.#waiting.set(id, handle)
    else this.#waiting.delete(id)
    // It belongs to the step: who learns from its time learns how fast this machine is.
    this.#restIfDue()
    const to = this.#ports.now()
    this.#end(id, handle, Math.round(1000 * (to - this.#stepAt)))
    if (to - this.#flushedAt >= COALESCE_MS) this.#flush()
  }

  #end(id: number, handle: RunHandle | undefined, micros: number): void {
    if (handle && !handle.result) return this.#report(['waiting', id], 0)
    const tracer = this.#tracers.get(id)
    this.#forget(id)
    if (!handle?.result) return this.#report(['lacks', id], 0)
    const { result } = handle
    if (tracer && result.kind === 'outcome') this.#report(['trace', id, tracer.trace], 0)
    this.#report(reportOf(id, result, micros), result.kind === 'outcome' ? result.outcome.length : 0)
  }

  #forget(id: number): void {
    this.#tracers.delete(id)
    this.#until.delete(id)
    this.#from.delete(id)
    this.#resting.delete(id)
  }

  #report(report: Report, bytes: number): void {
    this.#reports.push(report)
    this.#reportBytes += bytes
    if (this.#reportBytes > COALESCE_BYTES_MAX) this.#flush()
  }

  #flush(): void {
    this.#flushedAt = this.#ports.now()
    if (this.#reports.length === 0) return
    this.#ports.send(encodeFrame(this.#reports))
    this.#reports = []
    this.#reportBytes = 0
  }
}

const reportOf = (id: number, result: SandboxResult, micros: number): Report => {
  if (result.kind === 'outcome') return ['done', id, result.outcome, micros]
  if (result.kind === 'inconclusive') return ['failed', id, result.reason]
  return ['diverged', id, result.n, result.expected, result.found]
}
