/** How keys and namespaces of the state are written. */
import { MeshError } from './errors.ts'
import { STATE_KEY_BYTES_MAX, STATE_NAMESPACE_CHARS_MAX } from './limits.ts'

/** One that begins with a dot is Wayside's own, and no grant reaches it. */
const NAMESPACE = /^(?=.{1,64}$)\.?[a-z0-9-]+$/
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/

const encoder = new TextEncoder()

/** As every text of most functions is. A loop: it is asked of each key of each transaction. */
const isPrintableAscii = (text: string): boolean => {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code < 0x20 || code > 0x7e) return false
  }
  return true
}

/** 1 to 256 bytes of UTF-8 without control characters. They sort by their bytes, which is by code point. */
export const isStateKey = (text: string): boolean =>
  isPrintableAscii(text)
    ? text !== '' && text.length <= STATE_KEY_BYTES_MAX
    : !CONTROL.test(text) && text.isWellFormed() && encoder.encode(text).length <= STATE_KEY_BYTES_MAX

/** A prefix of keys: as a key, and may be empty. */
export const isStatePrefix = (text: string): boolean => text === '' || isStateKey(text)

/** A label of 1 to 64 of [a-z0-9-], or a dot and such a label. */
export const isStateNamespace = (text: string): boolean => NAMESPACE.test(text)

const shown = (text: string) => JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text)

/** Throws MeshError E_USAGE. */
export const ensureStateKey = (text: string): void => {
  if (isStateKey(text)) return
  const message = `state key ${shown(text)}: keys are 1 to ${STATE_KEY_BYTES_MAX} bytes of UTF-8 without control characters`
  throw new MeshError('E_USAGE', { message, key: text.slice(0, 80) })
}

/** Throws MeshError E_USAGE. */
export const ensureStatePrefix = (text: string): void => {
  if (!isStatePrefix(text)) ensureStateKey(text)
}

/** Throws MeshError E_USAGE. */
export const ensureStateNamespace = (text: string): void => {
  if (isStateNamespace(text)) return
  const message = `namespace ${shown(text)}: namespaces are 1 to ${STATE_NAMESPACE_CHARS_MAX} of a to z, 0 to 9 and -`
  throw new MeshError('E_USAGE', { message, namespace: text.slice(0, 80) })
}
