/** What a message holds, as text to read: bytes as `{"/":{"bytes":"<base64>"}}`, CIDs as `{"/":"<text>"}`. */
import { CID, ensureCid } from '../../protocol/cid.ts'

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

const toJson = (x: unknown): Json => {
  if (x instanceof Uint8Array) return { '/': { bytes: Buffer.from(x).toString('base64') } }
  if (x instanceof CID) return { '/': x.toString() }
  if (Array.isArray(x)) return x.map(toJson)
  if (typeof x !== 'object' || x === null) return x as Json
  return Object.fromEntries(Object.entries(x).map(([key, inside]) => [key, toJson(inside)]))
}

const fromJson = (x: Json): unknown => {
  if (Array.isArray(x)) return x.map(fromJson)
  if (typeof x !== 'object' || x === null) return x
  const form = x['/']
  if (typeof form === 'string') return ensureCid(form)
  if (typeof form === 'object' && form !== null && 'bytes' in form)
    return new Uint8Array(Buffer.from(String(form.bytes), 'base64'))
  return Object.fromEntries(Object.entries(x).map(([key, inside]) => [key, fromJson(inside)]))
}

export const contentToJson = (content: unknown): string => JSON.stringify(toJson(content))

export const contentFromJson = (text: string): unknown => fromJson(JSON.parse(text))
