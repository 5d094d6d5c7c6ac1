/**
 * Compiled code of a program of ours, for processes that meet guests: they read it, and it is written by a run of the
 * program that meets none, since what one of them wrote, the next would run.
 */
import { spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { getCompileCacheDir } from 'node:module'
import { dirname, join } from 'node:path'
import { NOBODY } from './confinement.ts'

/** Lets `nobody` read what this user wrote. Node looks for it in a folder whose name ends with the number of the user. */
const makeReadable = (folder: string): void => {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
    if (!entry.isSymbolicLink()) chmodSync(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o444)
  const ending = `-${process.getuid?.()}`
  for (const name of readdirSync(folder)) {
    const link = join(folder, `${name.slice(0, -ending.length)}-${NOBODY}`)
    if (name.endsWith(ending) && !existsSync(link)) symlinkSync(name, link)
  }
}

/**
 * The folder with the code, if this process has such a cache itself; filled in the background when the sources are newer.
 * `args` start the program, given the folder after them, such that it ends when its input does.
 */
export const compiledCode = (sources: readonly string[], args: (cache: string) => string[]): string | undefined => {
  const shared = getCompileCacheDir()
  if (shared === undefined) return undefined
  const cache = join(dirname(shared), 'wayside-sandbox')
  const newest = Math.max(...sources.map((path) => statSync(path).mtimeMs))
  const filled = join(cache, `filled-${process.version}-${Math.round(newest)}`)
  try {
    mkdirSync(cache, { recursive: true, mode: 0o755 })
    if (existsSync(filled)) return cache
  } catch {
    return undefined
  }
  const run = spawn(process.execPath, args(cache), { cwd: '/', env: {}, stdio: 'ignore', windowsHide: true })
  run.unref()
  run.on('error', () => {})
  run.on('exit', (code) => {
    try {
      if (code !== 0) return
      makeReadable(cache)
      writeFileSync(filled, '')
    } catch {
      // Somebody else tidies up there; the next agent tries again.
    }
  })
  return cache
}
