/** fflate: a zip of text files, made and read. */
import { strFromU8, strToU8, unzipSync, zipSync } from 'fflate'

export default function archive(files: Record<string, string>) {
  const bytes = Object.fromEntries(Object.entries(files).map(([name, text]) => [name, strToU8(text)]))
  const zip = zipSync(bytes, { level: 9, mtime: '2024-01-01T12:00:00' })
  const read = Object.entries(unzipSync(zip)).map(([name, content]) => [name, strFromU8(content)])
  return { size: zip.length, read: Object.fromEntries(read) }
}
