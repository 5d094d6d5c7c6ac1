/** Something made of files, and made again when they change. */
import { dirname, resolve } from 'node:path'
import { MeshError } from '../../protocol/errors.ts'
import { FileWatch } from './watch.ts'

export interface Made<T> {
  made: T
  /** Paths of what it was made of. */
  files: readonly string[]
}

export interface LiveOptions<T> {
  /** Path of the file that is always among them. */
  entry: string
  make(): Promise<Made<T>>
  /** Told of each making; `before` is undefined at the first. */
  changed(now: T | MeshError, before: T | MeshError | undefined, tookMs: number): void
}

export class Live<T extends object> {
  readonly #options: LiveOptions<T>
  readonly #watch = new FileWatch(() => this.#remake())
  #current: T | MeshError | undefined
  #making = false
  #stale = false

  private constructor(options: LiveOptions<T>) {
    this.#options = options
  }

  /** Resolves once it was made, or could not be. */
  static async start<T extends object>(options: LiveOptions<T>): Promise<Live<T>> {
    const live = new Live(options)
    await live.#make()
    return live
  }

  /** What was made last, or why it could not be. */
  get current(): T | MeshError {
    return this.#current!
  }

  close(): void {
    this.#watch.close()
  }

  async #remake(): Promise<void> {
    if (this.#making) {
      this.#stale = true
      return
    }
    this.#making = true
    do {
      this.#stale = false
      await this.#make()
    } while (this.#stale)
    this.#making = false
  }

  async #make(): Promise<void> {
    const startedMs = performance.now()
    const before = this.#current
    const now = await this.#tryToMake()
    this.#current = now
    this.#options.changed(now, before, performance.now() - startedMs)
  }

  async #tryToMake(): Promise<T | MeshError> {
    try {
      const { made, files } = await this.#options.make()
      this.#watch.files([this.#options.entry, ...files])
      return made
    } catch (cause) {
      const error = cause instanceof MeshError ? cause : new MeshError('E_INTERNAL', String(cause), { cause })
      this.#watch.folders([dirname(this.#options.entry), ...foldersOf(error)])
      return error
    }
  }
}

/** Where what `error` complains of will be mended: at the file that it names, or at what that imports. */
const foldersOf = ({ fields: { file, import: imported } }: MeshError): string[] => {
  if (typeof file !== 'string') return []
  const folder = dirname(resolve(file))
  if (typeof imported !== 'string') return [folder]
  return [folder, dirname(resolve(folder, imported)), resolve('node_modules')]
}
