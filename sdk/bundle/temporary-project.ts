/** For tests: folders of sources that are gone when the test ends. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'

/** Writes `files` (path to text) under a new folder and returns the folder's real path. */
export const temporaryProject = (files: Record<string, string>): string => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'wayside-bundle-')))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return folder
}
