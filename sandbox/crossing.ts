/** Values as they cross to the guest and back: JSON text, and byte arrays beside it (guest/values.ts). */
import { parseJson } from '../protocol/json.ts'
import { define } from '../protocol/plain-object.ts'
import { ensureValue, type Value } from '../protocol/values.ts'

export interface Parcel {
  json: string
  /** Some of the objects in the text stand for bytes and bigints. */
  special: boolean
  buffers: Uint8Array[]
}

type Json = null | boolean | string | number | Json[] | { [key: string]: Json }

/** A copy of `x` in which bytes and bigints are written as the guest reads them. */
const packLeaves = (x: Value, buffers: Uint8Array[]): Json => {
  if (typeof x === 'bigint') return { '/': x.toString() }
  if (typeof x !== 'object' || x === null) return x
  if (x instanceof Uint8Array) return { '/': buffers.push(x) - 1 }
  if (Array.isArray(x)) return x.map((item) => packLeaves(item, buffers))
  const out: { [key: string]: Json } = {}
  for (const key of Object.keys(x)) define(out, key, packLeaves(x[key] as Value, buffers))
  return out
}

const isSpecial = (x: Value): boolean => {
  if (typeof x === 'bigint') return true
  if (typeof x !== 'object' || x === null) return false
  if (x instanceof Uint8Array) return true
  if (Array.isArray(x)) return x.some(isSpecial)
  for (const key of Object.keys(x)) if (isSpecial(x[key] as Value)) return true
  return false
}

export const pack = (x: Value): Parcel => {
  const buffers: Uint8Array[] = []
  const special = isSpecial(x)
  return { json: JSON.stringify(special ? packLeaves(x, buffers) : x), special, buffers }
}

const unpackLeaves = (x: unknown, buffers: readonly Uint8Array[]): unknown => {
  if (typeof x !== 'object' || x === null) return x
  if (Array.isArray(x)) return x.map((item) => unpackLeaves(item, buffers))
  const keys = Object.keys(x)
  if (keys.length === 1 && keys[0] === '/') {
    const leaf = (x as { '/': unknown })['/']
    return typeof leaf === 'number' ? buffers[leaf] : BigInt(leaf as string)
  }
  const out: { [key: string]: unknown } = {}
  for (const key of keys) define(out, key, unpackLeaves((x as Record<string, unknown>)[key], buffers))
  return out
}

/** The Value that the guest sent. Throws whatever is wrong with it: the prelude sends nothing that is. */
export const unpack = (json: string, buffers: readonly Uint8Array[]): Value => {
  const parsed = parseJson(json)
  return ensureValue(json.includes('{"/":') ? unpackLeaves(parsed, buffers) : parsed)
}
