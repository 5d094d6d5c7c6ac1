/** Positions in a bundle led back to the sources it was made from. */
import { SourceMap, type SourceMapPayload, type SourceMapping } from 'node:module'
import { join } from 'node:path'
import { shownPath } from './shown-path.ts'

/**
 * `stack` with each `MODULE:line:column` replaced by where that stands in the sources. `module` is the name
 * the sandbox gave the code. A position that comes from no source (the bundle's own preamble) stays as it is.
 */
export const sourcePositions = (stack: string, map: string, module: string, cwd: string = process.cwd()): string => {
  const payload = JSON.parse(map) as SourceMapPayload
  const sources = new SourceMap(payload)
  return stack.replace(POSITION, (position, name: string, line: string, column: string) => {
    if (name !== module) return position
    const found: Partial<SourceMapping> = sources.findEntry(Number(line) - 1, Number(column) - 1)
    if (found.originalSource === undefined) return position
    const file = shownPath(join(payload.sourceRoot, found.originalSource), cwd)
    return `${file}:${found.originalLine! + 1}:${found.originalColumn! + 1}`
  })
}

const POSITION = /([^\s()]+):(\d+):(\d+)/g
