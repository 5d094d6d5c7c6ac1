/** How a text is made of what stands in a Value, and how it is made again of another. Pure. */
import { STATE_KEY_BYTES_MAX } from '../../protocol/limits.ts'
import type { Value } from '../../protocol/values.ts'

/** Letters of its own, or where in the Value there are some. */
export type TextPart = string | Path
type Path = readonly (string | number)[]

/** A text that stands in a Value. */
export interface Found {
  path: Path
  text: string
}

/** Of a Value with more than these the others are not looked at. */
const TEXTS_MAX = 64
const DEPTH_MAX = 8
/** A text of more parts is taken as it is. */
const PARTS_MAX = 16

const isPlain = (value: Value): value is { [name: string]: Value } =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)

/** Texts as they are, whole numbers in digits. */
const wordOf = (value: Value | undefined): string | undefined => {
  if (typeof value === 'string') return value
  return Number.isSafeInteger(value) ? String(value) : undefined
}

export const textsIn = (value: Value, path: Path = [], found: Found[] = []): Found[] => {
  const text = wordOf(value)
  if (text !== undefined) {
    if (text !== '' && text.length <= STATE_KEY_BYTES_MAX) found.push({ path, text })
    return found
  }
  if (path.length === DEPTH_MAX || (!Array.isArray(value) && !isPlain(value))) return found
  for (const name of Array.isArray(value) ? value.keys() : Object.keys(value)) {
    if (found.length >= TEXTS_MAX) break
    textsIn((value as { [name: string | number]: Value })[name] as Value, [...path, name], found)
  }
  return found
}

const LETTER = /[\p{L}\p{M}]/u
const DIGIT = /[0-9]/

/** Between two letters, or two digits, nothing begins: a 1 in 21 is by chance. */
const isEdge = (text: string, at: number): boolean => {
  if (at === 0 || at === text.length) return true
  const [a, b] = [text.charAt(at - 1), text.charAt(at)]
  return !(LETTER.test(a) && LETTER.test(b)) && !(DIGIT.test(a) && DIGIT.test(b))
}

/** From left to right, the longest of `found` that stands there. */
export const partsOf = (text: string, found: readonly Found[]): TextPart[] => {
  const parts: TextPart[] = []
  let literal = ''
  for (let at = 0; at < text.length; ) {
    const next = longestAt(text, at, found)
    if (!next) {
      literal += text.charAt(at++)
      continue
    }
    if (literal !== '') parts.push(literal)
    literal = ''
    parts.push(next.path)
    at += next.text.length
  }
  if (literal !== '') parts.push(literal)
  return parts.length > PARTS_MAX ? [text] : parts
}

const longestAt = (text: string, at: number, found: readonly Found[]): Found | undefined => {
  if (!isEdge(text, at)) return undefined
  let longest: Found | undefined
  for (const one of found) {
    if (longest && one.text.length <= longest.text.length) continue
    if (text.startsWith(one.text, at) && isEdge(text, at + one.text.length)) longest = one
  }
  return longest
}

/** Undefined: there is no text where one should be. */
export const textOf = (parts: readonly TextPart[], value: Value): string | undefined => {
  let text = ''
  for (const part of parts) {
    const more = typeof part === 'string' ? part : wordOf(at(value, part))
    if (more === undefined || text.length + more.length > STATE_KEY_BYTES_MAX) return undefined
    text += more
  }
  return text
}

const at = (value: Value, path: Path): Value | undefined => {
  let found: Value | undefined = value
  for (const name of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, name)) return undefined
    found = (found as { [name: string | number]: Value })[name]
  }
  return found
}
