/** The files that an agent serves to pages: those of one build, checked and held in memory. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import * as v from 'valibot'
import { MeshError } from '../../protocol/errors.ts'
import { WEB_FILE_BYTES_MAX } from './limits.ts'

const name = v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, 'expected the name of a file'))
const sha384 = v.pipe(v.string(), v.regex(/^[A-Za-z0-9+/]{64}$/, 'expected a SHA-384 in base64'))
const integrity = v.pipe(v.string(), v.regex(/^sha384-[A-Za-z0-9+/]{64}$/, 'expected sha384-…'))
const header = v.pipe(v.string(), v.regex(/^[\x20-\x7e]*$/, 'expected one line of ASCII'))

/** `manifest.json` of a build. */
const manifest = v.object({
  loader: name,
  integrity,
  frame: name,
  pins: v.optional(v.string(), ''),
  files: v.record(name, v.object({ type: header, sha384, headers: v.optional(v.record(name, header), {}) })),
})

export interface WebFile {
  readonly type: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  /** Made once, when it is first asked for; undefined where it would be no smaller. */
  zipped(): Promise<Buffer | undefined>
}

export interface WebFiles {
  /** The name of the element's script, and what a tag says of its bytes. */
  readonly loader: string
  readonly integrity: string
  /** The name of the consent frame's document. */
  readonly frame: string
  /** What the element tells the frame of what it loads later. */
  readonly pins: string
  readonly files: ReadonlyMap<string, WebFile>
}

const damaged = (folder: string, why: string, cause?: unknown) =>
  new MeshError('E_STORAGE', `the browser agent in ${folder} cannot be served: ${why}; install wayside again`, {
    cause,
  })

const readWhole = (folder: string, file: string, expected: string): Buffer => {
  const body = readFileSync(join(folder, file))
  if (body.length > WEB_FILE_BYTES_MAX) throw new Error(`${file} has ${body.length} bytes`)
  const found = createHash('sha384').update(body).digest('base64')
  if (found !== expected) throw new Error(`${file} is not the file of its build`)
  return body
}

const once = <T>(make: () => Promise<T>): (() => Promise<T>) => {
  let made: Promise<T> | undefined
  return () => (made ??= make())
}

const zip = promisify(gzip)

const fileOf = (type: string, headers: Record<string, string>, body: Buffer): WebFile => ({
  type,
  headers,
  body,
  zipped: once(async () => {
    const zipped = await zip(body, { level: 9 })
    return zipped.length < body.length ? zipped : undefined
  }),
})

/** All files of the build in `folder`. Throws MeshError E_STORAGE if one is missing or not what the build made. */
export const loadWebFiles = (folder: string): WebFiles => {
  try {
    const { loader, integrity, frame, pins, files } = v.parse(
      manifest,
      JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')),
    )
    const loaded = new Map(
      Object.entries(files).map(([file, one]) => [
        file,
        fileOf(one.type, one.headers, readWhole(folder, file, one.sha384)),
      ]),
    )
    for (const needed of [loader, frame]) if (!loaded.has(needed)) throw new Error(`it lacks ${needed}`)
    return { loader, integrity, frame, pins, files: loaded }
  } catch (cause) {
    throw damaged(folder, (cause as Error).message, cause)
  }
}
