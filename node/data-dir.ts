/** The data directory: everything that an agent keeps. One process holds it at a time. */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { MeshError } from '../protocol/errors.ts'
import type { FailPoints } from '../protocol/fail-points.ts'
import type { Signer, Storage } from '../protocol/ports.ts'

export const DATA_DIR_DEFAULT = join(homedir(), '.wayside')

/** Raised with every change of what the database holds; each step from the schema below stands in MIGRATIONS. */
const SCHEMA = 1
const MIGRATIONS = {}

/** How messages name a data directory, and what to write after a command for it: nothing for the default one. */
export const shownDataDir = (data: string): { shown: string; flag: string } => {
  const home = homedir()
  const shown = data.startsWith(`${home}/`) ? `~/${data.slice(home.length + 1)}` : data
  return { shown, flag: resolve(data) === DATA_DIR_DEFAULT ? '' : ` --data ${shown}` }
}

/** What of the data directory belongs to wayside, in the order in which it is erased. */
const ENTRIES = [
  'agent.json',
  'agent.sock',
  'holder',
  'config.json',
  'told.json',
  'proofs',
  'log',
  'db',
  'mesh',
  'mesh.new',
  'web-certificate.pem',
  'secrets.json',
  'identity.key',
]

/** Removes what wayside keeps there, and the directory if nothing else is in it. */
export const eraseDataDir = (data: string): void => {
  for (const entry of ENTRIES) rmSync(join(data, entry), { recursive: true, force: true })
  if (existsSync(data) && readdirSync(data).length === 0) rmdirSync(data)
}

const holderFile = (data: string) => join(data, 'holder')

/** The pid of the process that holds the directory, or held it and was killed. */
export const readHolder = (data: string): string | undefined => {
  try {
    return /^[0-9]+$/.exec(readFileSync(holderFile(data), 'utf8').trim())?.[0]
  } catch {
    return undefined
  }
}

const taken = (data: string, cause: unknown): MeshError => {
  const pid = readHolder(data)
  const { shown, flag } = shownDataDir(data)
  const holder = pid === undefined ? 'another process' : `process ${pid}`
  const message = `${shown} is in use by ${holder}; stop it with \`wayside down${flag}\`, or choose another directory with --data DIR`
  return new MeshError('E_DATA_DIR_TAKEN', { message, directory: data, pid: Number(pid) }, { cause })
}

const makeDirectory = (data: string) => {
  try {
    const made = mkdirSync(data, { recursive: true, mode: 0o700 })
    if (made !== undefined) chmodSync(data, 0o700)
  } catch (cause) {
    const message = `the data directory ${data} cannot be made (${(cause as Error).message}); choose another one with --data DIR`
    throw new MeshError('E_STORAGE', { message, directory: data }, { cause })
  }
}

export interface DataDir {
  readonly path: string
  readonly signer: Signer
  /** Closing it lets go of the directory. */
  readonly storage: Storage
}

/**
 * Makes the directory if need be, takes hold of it, and reads the identity in it. The database's own lock decides who
 * holds it: the system releases it when a process ends, however it ends. Throws MeshError E_DATA_DIR_TAKEN (it names
 * the holder's pid), E_DATA_SCHEMA, E_STORAGE or E_CONFIG. `damaged` is told, in a sentence, what cannot be read any more.
 */
export const openDataDir = async (
  data: string,
  failPoints: FailPoints,
  damaged: (what: string) => void = () => {},
): Promise<DataDir> => {
  makeDirectory(data)
  const [{ openLevelStorage }, { openIdentity }] = await Promise.all([
    import('./storage-level.ts'),
    import('./identity.ts'),
  ])
  const options = { schema: SCHEMA, migrations: MIGRATIONS, failPoints, damaged }
  const storage = await openLevelStorage(join(data, 'db'), options).catch((cause) => {
    throw cause instanceof MeshError && cause.code === 'E_DATA_DIR_TAKEN' ? taken(data, cause) : cause
  })
  try {
    writeFileSync(holderFile(data), `${process.pid}\n`, { mode: 0o600 })
    const close = async () => {
      rmSync(holderFile(data), { force: true })
      await storage.close()
    }
    return { path: data, signer: openIdentity(data), storage: { ...storage, close } }
  } catch (cause) {
    await storage.close()
    throw cause
  }
}
