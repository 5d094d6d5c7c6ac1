/** What went wrong in a build, said in the terms of the one who wrote the function. */
import { isBuiltin } from 'node:module'
import { join, resolve } from 'node:path'
import type { Message } from 'esbuild'
import { MeshError } from '../../protocol/errors.ts'
import { shownPath } from './shown-path.ts'

/** Where a build ran (`folder`, which esbuild's locations start from) and what paths are shown relative to (`cwd`). */
export interface Place {
  folder: string
  cwd: string
}

/** The line of source shown under a message: enough to recognise it, never a whole minified file. */
const SOURCE_CHARS_MAX = 120

type Location = NonNullable<Message['location']>

const shown = (file: string, { folder, cwd }: Place) => shownPath(join(folder, file), cwd)

/** esbuild counts columns from 0 and in UTF-8 bytes; people and editors count from 1 and in characters. */
const columnOf = ({ lineText, column }: Location) => Buffer.from(lineText).subarray(0, column).toString().length + 1

const position = (at: Location, place: Place) => `${shown(at.file, place)}:${at.line}:${columnOf(at)}`

const sourceLine = (at: Location): string => {
  const column = columnOf(at)
  const start = Math.max(0, column - 1 - SOURCE_CHARS_MAX / 2)
  const gutter = `  ${at.line} | `
  const text = at.lineText.slice(start, start + SOURCE_CHARS_MAX).replaceAll('\t', ' ')
  return `${gutter}${text}\n${' '.repeat(gutter.length + column - 1 - start)}^`
}

/** Is `file` a source that the author wrote, and no package's, nor a configuration? */
const isOwnSource = (file: string) => !file.split('/').includes('node_modules') && !file.endsWith('.json')

/** `warning` as one line: `hello.ts:3:1: text`. */
export const warningText = (warning: Message, place: Place): string =>
  warning.location ? `${position(warning.location, place)}: ${warning.text}` : warning.text

/** The first of a failed build's errors, as E_BUNDLE, or as E_FUNCTION_SYNTAX where the author's own source does not parse. */
export const buildFailure = (errors: readonly Message[], place: Place): MeshError => {
  const [error] = errors
  if (!error) return new MeshError('E_INTERNAL', 'the bundler failed without saying why')
  const text = error.text.replace(
    NO_LOADER,
    '$2: files of the kind $1 cannot be bundled; TypeScript, JavaScript, JSON and text can',
  )
  const at = error.location
  if (!at) return new MeshError('E_BUNDLE', text)
  const fields = { file: shown(at.file, place), line: at.line, column: columnOf(at) }
  const imported = /^Could not resolve "(.*)"$/.exec(error.text)?.[1]
  if (imported !== undefined) {
    const message = `${position(at, place)} imports "${imported}"${whyUnresolved(imported, error, place)}`
    return new MeshError('E_BUNDLE', { message, ...fields, import: imported })
  }
  const code = isOwnSource(at.file) && !isAboutImport(error.text) ? 'E_FUNCTION_SYNTAX' : 'E_BUNDLE'
  return new MeshError(code, { message: `${position(at, place)}: ${text}\n${sourceLine(at)}`, ...fields })
}

/** E_BUNDLE for an import that resolves and still is of no use; `why` follows the import's name. */
export const importFailure = (imported: string, file: string, place: Place, why: string): MeshError => {
  const named = shown(file, place)
  return new MeshError('E_BUNDLE', { message: `${named} imports "${imported}", ${why}`, file: named, import: imported })
}

const NO_LOADER = /^No loader is configured for "(.*)" files: (.*)$/

const isAboutImport = (text: string) =>
  /^(No matching export|No loader is configured|Importing with|Could not read|Cannot read|Cannot find)/.test(text)

const whyUnresolved = (imported: string, error: Message, place: Place): string => {
  if (isBuiltin(imported) || imported.startsWith('node:')) {
    return (
      ', a module of Node.js: a function runs in a sandbox without files, network and processes. ' +
      'Read what it needs before the call and pass it as input, or use a package that does without Node.js'
    )
  }
  if (/^\.{0,2}\//.test(imported)) {
    const path = resolve(place.folder, error.location!.file, '..', imported)
    return `, but there is no such file: looked for ${shownPath(path, place.cwd)}`
  }
  const hidden = error.notes.find((note) => note.text.includes('not exported by package'))
  if (hidden) return `, but its package does not export that path: name one that its package.json lists under "exports"`
  const packageName = imported.split('/', imported.startsWith('@') ? 2 : 1).join('/')
  return `, a package that is not installed there: run npm install ${packageName}`
}
