/** multipart/form-data (RFC 7578), written as HTML writes it ("Multipart form data") and read as the Fetch standard reads it. */
import { bytesOfBlob, File } from './file.ts'
import { FormData } from './form-data.ts'
import { joinBytes } from './joined.ts'
import { random } from './prelude-exports.ts'
import { decodeUtf8, encodeUtf8 } from './text.ts'

const escapeName = (name: string): string => name.replaceAll('\n', '%0A').replaceAll('\r', '%0D').replaceAll('"', '%22')
const lineBreaks = (text: string): string => text.replace(/\r\n?|\n/g, '\r\n')

const partOf = (name: string, value: string | File): Uint8Array[] => {
  const head = `Content-Disposition: form-data; name="${escapeName(lineBreaks(name))}"`
  if (typeof value === 'string') return [encodeUtf8(`${head}\r\n\r\n${lineBreaks(value)}\r\n`)]
  const type = value.type || 'application/octet-stream'
  const begin = `${head}; filename="${escapeName(value.name)}"\r\nContent-Type: ${type}\r\n\r\n`
  return [encodeUtf8(begin), bytesOfBlob(value), encodeUtf8('\r\n')]
}

export const writeMultipart = (form: FormData): { bytes: Uint8Array<ArrayBuffer>; type: string } => {
  const digits = Array.from({ length: 16 }, () => Math.floor(random() * 10)).join('')
  const boundary = `----formdata-wayside-${digits}`
  const begin = encodeUtf8(`--${boundary}\r\n`)
  const parts = Array.from(form, ([name, value]) => [begin, ...partOf(name, value)]).flat()
  const bytes = joinBytes([...parts, encodeUtf8(`--${boundary}--\r\n`)])
  return { bytes, type: `multipart/form-data; boundary=${boundary}` }
}

const indexOf = (bytes: Uint8Array, wanted: Uint8Array, from: number): number => {
  const first = wanted[0] as number
  for (let i = bytes.indexOf(first, from); i >= 0; i = bytes.indexOf(first, i + 1))
    if (wanted.every((byte, k) => bytes[i + k] === byte)) return i
  return -1
}

const wrong = (): TypeError => new TypeError('the body is no multipart/form-data with the boundary of its type')

const unescapeName = (name: string): string =>
  name
    .replaceAll('%0A', '\n')
    .replaceAll('%0a', '\n')
    .replaceAll('%0D', '\r')
    .replaceAll('%0d', '\r')
    .replaceAll('%22', '"')

const parameter = (disposition: string, name: string): string | undefined => {
  const found = new RegExp(`;\\s*${name}="([^"]*)"`, 'i').exec(disposition)?.[1]
  return found === undefined ? undefined : unescapeName(found)
}

const appendPart = (form: FormData, head: string, content: Uint8Array): void => {
  const headers = new Map(
    head.split('\r\n').map((line) => {
      const colon = line.indexOf(':')
      if (colon < 0) throw wrong()
      return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()]
    }),
  )
  const disposition = headers.get('content-disposition') ?? ''
  const name = parameter(disposition, 'name')
  if (!/^form-data\b/i.test(disposition) || name === undefined) throw wrong()
  const filename = parameter(disposition, 'filename')
  if (filename === undefined) form.append(name, decodeUtf8(content).replace(/^\ufeff/, ''))
  else
    form.append(
      name,
      new File([content as BlobPartBytes], filename, { type: headers.get('content-type') ?? 'text/plain' }),
    )
}

type BlobPartBytes = Uint8Array<ArrayBuffer>

/** Throws TypeError. */
export const readMultipart = (bytes: Uint8Array, boundary: string): FormData => {
  const form = new FormData()
  const mark = encodeUtf8(`--${boundary}`)
  const [newMark, headEnd] = [encodeUtf8(`\r\n--${boundary}`), encodeUtf8('\r\n\r\n')]
  let at = indexOf(bytes, mark, 0) + mark.length
  if (at < mark.length) throw wrong()
  for (;;) {
    if (bytes[at] === 45 && bytes[at + 1] === 45) return form
    if (bytes[at] !== 13 || bytes[at + 1] !== 10) throw wrong()
    const end = indexOf(bytes, headEnd, at)
    const next = end < 0 ? -1 : indexOf(bytes, newMark, end + 2)
    if (next < 0) throw wrong()
    appendPart(form, decodeUtf8(bytes.subarray(at + 2, end)), bytes.subarray(end + 4, next))
    at = next + newMark.length
  }
}
