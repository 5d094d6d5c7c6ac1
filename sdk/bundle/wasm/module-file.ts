/**
 * A file that is a WebAssembly module, or becomes one, in the metered form. Compilers compute for seconds, so a thread of
 * their own does: a program that bundles goes on to answer its peers meanwhile. The thread is started by the first such
 * file and kept, without keeping the process: what it has loaded makes the next file four times as fast.
 */
import { Worker } from 'node:worker_threads'
import { type ErrorCode, type ErrorFields, MeshError } from '../../../protocol/errors.ts'
import type { Metered } from './meter.ts'

/** Names of such files. */
export const MODULE_FILE = /\.(wasm|as\.ts)$/

export interface ModuleFile extends Metered {
  /** Paths of what it was made of. */
  files: string[]
}

export interface ModuleRequest {
  id: number
  file: string
  shown: string
  memoryBytesMax: number
}

export type ModuleAnswer = { id: number } & (
  | { module: ModuleFile }
  | { code: ErrorCode; fields: ErrorFields }
  | { error: unknown }
)

class ModuleThread {
  readonly #worker = new Worker(new URL('./module-worker.ts', import.meta.url))
  readonly #waiting = new Map<number, PromiseWithResolvers<ModuleFile>>()
  #asked = 0
  /** Why it answers no more. */
  failure: MeshError | undefined

  constructor() {
    this.#worker.on('message', (answer: ModuleAnswer) => this.#answered(answer))
    this.#worker.on('error', (error) => this.#ended(error.message))
    this.#worker.on('exit', (code) => this.#ended(`exit code ${code}`))
  }

  read(file: string, shown: string, memoryBytesMax: number): Promise<ModuleFile> {
    const waiting = Promise.withResolvers<ModuleFile>()
    const id = this.#asked++
    this.#waiting.set(id, waiting)
    this.#worker.ref()
    this.#worker.postMessage({ id, file, shown, memoryBytesMax } satisfies ModuleRequest)
    return waiting.promise
  }

  #answered(answer: ModuleAnswer): void {
    const waiting = this.#waiting.get(answer.id)
    this.#waiting.delete(answer.id)
    if (this.#waiting.size === 0) this.#worker.unref()
    if ('module' in answer) waiting?.resolve(answer.module)
    else waiting?.reject('code' in answer ? new MeshError(answer.code, answer.fields) : answer.error)
  }

  #ended(reason: string): void {
    const message = `the thread that compiles WebAssembly ended (${reason}): try again, with less at once`
    this.failure ??= new MeshError('E_BUNDLE', { message, reason })
    for (const { reject } of this.#waiting.values()) reject(this.failure)
    this.#waiting.clear()
  }
}

let thread: ModuleThread | undefined

/**
 * `file`: a real path; `shown`: its name in messages. Throws MeshError E_BUNDLE or E_FUNCTION_SYNTAX, with the places
 * that the compiler named.
 */
export const readModuleFile = (file: string, shown: string, memoryBytesMax: number): Promise<ModuleFile> => {
  if (thread === undefined || thread.failure) thread = new ModuleThread()
  return thread.read(file, shown, memoryBytesMax)
}
