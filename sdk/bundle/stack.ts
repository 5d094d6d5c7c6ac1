/** A guest's stack in the author's own terms: files, lines, columns and function names of the sources. */
import { join } from 'node:path'
import { decodedMappings, TraceMap, traceSegment } from '@jridgewell/trace-mapping'
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
    return name === undefined ? at + shown : `${at}${sources.names.get(name) ?? name} (${shown})`
  }
  return (text) => text.split('\n').flatMap(read).join('\n')
}

interface Sources {
  /** Of a place in the bundle; lines and columns from 1. Undefined for what the bundler added. */
  placeOf(line: number, column: number): { file: string; line: number; column: number } | undefined
  /** What the author called the functions that the bundler had to give another name. */
  names: ReadonlyMap<string, string>
}

const readSources = ({ code, map }: Pick<Bundle, 'code' | 'map'>): Sources => {
  const trace = new TraceMap(map)
  const { sourceRoot = '', sources } = trace
  return {
    placeOf: (line, column) => {
      const [, source, originalLine, originalColumn] = traceSegment(trace, line - 1, column - 1) ?? []
      if (source === undefined) return undefined
      return { file: join(sourceRoot, sources[source]!), line: originalLine! + 1, column: originalColumn! + 1 }
    },
    names: readNames(trace, new TextDecoder().decode(code).split('\n')),
  }
}

const IDENTIFIER = /[\p{ID_Start}$_][\p{ID_Continue}$]*/uy
/** How esbuild calls a default export that has no name. */
const DEFAULT_EXPORT = /_default\d*$/

const readNames = (trace: TraceMap, lines: readonly string[]): Map<string, string> => {
  const names = new Map<string, string>()
  const originalLines = trace.sourcesContent?.map((text) => text?.split('\n'))
  for (const [row, segments] of decodedMappings(trace).entries()) {
    for (const [column, source, originalLine, originalColumn, name] of segments) {
      if (source === undefined) continue
      IDENTIFIER.lastIndex = column
      const [identifier] = IDENTIFIER.exec(lines[row]!) ?? []
      if (identifier === undefined || names.has(identifier)) continue
      if (name !== undefined) names.set(identifier, trace.names[name]!)
      else if (DEFAULT_EXPORT.test(identifier)) {
        const original = originalLines?.[source]?.[originalLine!]
        if (original?.startsWith('default', originalColumn)) names.set(identifier, 'default')
      }
    }
  }
  return names
}
