/**
 * Large frames that many sandbox processes are sent: each is a file, which those that are told its name can read. They cannot
 * list the folder, and have it read-only: a name is 128 random bits, and who has not been told it has nothing.
 */
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const PREFIX = 'wayside-shared-'
/** To open what one knows the name of, and no more; its owner can add to it. */
const UNLISTED = 0o311
const READ_BY_ALL = 0o444

/** Of a folder that a process left behind when it was killed. */
const isLeft = (name: string): boolean => {
  const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1]
  if (pid === undefined) return false
  try {
    process.kill(Number(pid), 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

const remove = (folder: string): void => {
  try {
    // A folder that cannot be listed cannot be emptied.
    chmodSync(folder, 0o700)
    rmSync(folder, { recursive: true, force: true })
  } catch {
    // Another user's.
  }
}

/** Of this process: removed when it ends, unless it is killed. */
const folders = new Set<string>()

/** An empty folder for this process, if there can be one, and none any more for those that have ended. */
const makeFolder = (): string | undefined => {
  const parent = tmpdir()
  try {
    for (const name of readdirSync(parent).filter(isLeft)) remove(join(parent, name))
    const folder = mkdtempSync(join(parent, `${PREFIX}${process.pid}-`))
    if (folders.size === 0) process.on('exit', () => folders.forEach(remove))
    folders.add(folder)
    chmodSync(folder, UNLISTED)
    return folder
  } catch {
    return undefined
  }
}

export class SharedFrames {
  /** Undefined where none could be made: then all is sent. */
  readonly folder = makeFolder()
  readonly #paths = new WeakMap<Uint8Array, string>()

  /** Until what it returns is called, `pathOf` knows this frame. */
  offer(frame: Uint8Array): () => void {
    if (!this.folder) return () => {}
    const path = join(this.folder, randomBytes(16).toString('hex'))
    try {
      writeFileSync(path, frame, { mode: READ_BY_ALL, flag: 'wx' })
    } catch {
      // Where there is no room, it is sent.
      rmSync(path, { force: true })
      return () => {}
    }
    this.#paths.set(frame, path)
    return () => {
      this.#paths.delete(frame)
      rmSync(path, { force: true })
    }
  }

  pathOf(frame: Uint8Array): string | undefined {
    return this.#paths.get(frame)
  }
}
