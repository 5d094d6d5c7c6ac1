/** Changes of files, by their folders: an editor may put a new file in the place of the old one. */
import { existsSync, type FSWatcher, watch } from 'node:fs'
import { basename, dirname } from 'node:path'

/** What one save does to the disk comes within this time. */
const TOGETHER_MS = 15

export class FileWatch {
  readonly #changed: () => void
  readonly #folders = new Map<string, FSWatcher>()
  #names: ReadonlySet<string> | undefined
  #timer: NodeJS.Timeout | undefined

  /** `changed` is called once for all that comes together. */
  constructor(changed: () => void) {
    this.#changed = changed
  }

  /** Looks at `files`, and at no others from now on. */
  files(files: readonly string[]): void {
    this.#names = new Set(files.map((file) => basename(file)))
    this.#look(new Set(files.map(dirname)))
  }

  /** Looks at whatever is in `folders`, besides; those that are not there yet, at the nearest that is. */
  folders(folders: readonly string[]): void {
    this.#names = undefined
    this.#look(new Set([...this.#folders.keys(), ...folders.map(nearest)]))
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#look(new Set())
  }

  #look(wanted: ReadonlySet<string>): void {
    for (const [folder, watcher] of this.#folders) {
      if (wanted.has(folder)) continue
      watcher.close()
      this.#folders.delete(folder)
    }
    for (const folder of wanted) {
      if (this.#folders.has(folder) || !existsSync(folder)) continue
      const watcher = watch(folder, { persistent: false }, (_, name) => this.#met(name))
      // A folder that went away: the next build says what is missing.
      watcher.on('error', () => this.#folders.delete(folder))
      this.#folders.set(folder, watcher)
    }
  }

  #met(name: string | null): void {
    if (name !== null && this.#names && !this.#names.has(name)) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(this.#changed, TOGETHER_MS)
  }
}

const nearest = (folder: string): string => (existsSync(folder) ? folder : nearest(dirname(folder)))
