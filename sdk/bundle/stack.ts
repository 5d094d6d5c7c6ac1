/** A guest's stack in the author's own terms: files, lines, columns and function names of the sources. */
import { type SourceMapping as NamelessMapping, SourceMap, type SourceMapPayload } from 'node:module'
import { join } from 'node:path'
import type { Bundle } from './bundle.ts'
import { shownPath } from './shown-path.ts'

/** Text in which each frame of the bundle stands for one in the sources; anything else in it as it was. */
export type StackReader = (text: string) => string

/** `    at name (MODULE:line:column)`, or without a name and brackets. */
const FRAME = /^(\s*at )(?:(.*) \()?([^\s()]+):(\d+):(\d+)\)?$/

/**
 * A reader of stacks of `bundle`, which the sandbox calls `module`. Frames of what the bundler added are left out. Paths
 * are relative to `cwd` where they lie inside. A column is where the engine says that a call is: at the function's name,
 * or at the statement that returns what it returns.
 */
export const createStackReader = (
  bundle: Pick<Bundle, 'code' | 'map'>,
  module: string,
  cwd: string = process.cwd(),
): StackReader => {
  let sources: Sources | undefined
  const read = (line: string): string | [] => {
    const [, at, name, file, row, column] = FRAME.exec(line) ?? []
    if (at === undefined || file !== module) return line
    sources ??= readSources(bundle)
    const place = sources.placeOf(Number(row), Number(column))
    if (place === undefined) return []
    const shown = `${shownPath(place.file, cwd)}:${place.line}:${place.column}`
    return name === undefined ? at + shown : `${at}${sources.nameOf(name)} (${shown})`
  }
  return (text) => text.split('\n').flatMap(read).join('\n')
}

/** Node has the name, and its types do not. */
interface SourceMapping extends NamelessMapping {
  name?: string
}

interface Sources {
  /** Of a place in the bundle; lines and columns from 1. Undefined for what the bundler added. */
  placeOf(line: number, column: number): { file: string; line: number; column: number } | undefined
  /** What the author called a function; the bundler had to give some another name. */
  nameOf(name: string): string
}

const readSources = ({ code, map }: Pick<Bundle, 'code' | 'map'>): Sources => {
  const payload = JSON.parse(map) as SourceMapPayload
  const sourceMap = new SourceMap(payload)
  const lines = new TextDecoder().decode(code).split('\n')
  const names = new Map<string, string>()
  /** Counted from 0. What stands before a line's first mapping is of no source. */
  const entryAt = (line: number, column: number): SourceMapping | undefined => {
    const found: Partial<SourceMapping> = sourceMap.findEntry(line, column)
    return found.originalSource !== undefined && found.generatedLine === line ? (found as SourceMapping) : undefined
  }
  return {
    placeOf: (line, column) => {
      const found = entryAt(line - 1, column - 1)
      if (!found) return undefined
      const { originalSource, originalLine, originalColumn } = found
      return { file: join(payload.sourceRoot, originalSource), line: originalLine + 1, column: originalColumn + 1 }
    },
    nameOf: (name) => {
      if (!names.has(name) && names.size < NAMES_MAX)
        names.set(name, originalName(name, lines, payload, entryAt) ?? name)
      return names.get(name) ?? name
    },
  }
}

/**
 * Who made a stack may be a stranger: so many of its names are looked for, each at so many of its places in the bundle.
 * The others stay as they are.
 */
const NAMES_MAX = 100
const PLACES_MAX = 200

const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u
const PART = new Set([...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_$'])
/** Of an identifier; what is not ASCII stands beside one in texts only, else. */
const isPart = (char: string | undefined): boolean => char !== undefined && (PART.has(char) || char > '\x7f')
/** How esbuild calls a default export that has no name. */
const DEFAULT_EXPORT = /_default\d*$/

/** A name that was changed is said so by the map wherever it stands. */
const originalName = (
  name: string,
  lines: readonly string[],
  { sources, sourcesContent }: SourceMapPayload,
  entryAt: (line: number, column: number) => SourceMapping | undefined,
): string | undefined => {
  if (!IDENTIFIER.test(name)) return undefined
  let places = 0
  for (const [row, line] of lines.entries()) {
    for (let column = line.indexOf(name); column >= 0; column = line.indexOf(name, column + 1)) {
      if (isPart(line[column - 1]) || isPart(line[column + name.length])) continue
      if (places++ === PLACES_MAX) return undefined
      const entry = entryAt(row, column)
      if (entry?.generatedColumn !== column) continue
      if (entry.name) return entry.name
      if (!DEFAULT_EXPORT.test(name)) continue
      const original = sourcesContent[sources.indexOf(entry.originalSource)]?.split('\n')[entry.originalLine]
      if (original?.startsWith('default', entry.originalColumn)) return 'default'
    }
  }
  return undefined
}
