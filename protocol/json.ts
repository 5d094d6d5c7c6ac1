/**
 * JSON with the keys that are written in it. V8 from version 12.8 on (Node 24 and 26) reads a key with an escape as another
 * one where an object before it had the same keys up to there, and then one that is how this key is *written*, up to its
 * length: after {"a":1,"\\":1} the keys of {"a":1,"\n":1} are "a" and "\" (nodejs/node#63785). So what a guest or a caller
 * says would depend on what was said before.
 */
import { define } from './plain-object.ts'

const [QUOTE, BACKSLASH] = [0x22, 0x5c]
const COLON = /\s*:/y
const BEFORE = /\s*,?\s*/y
const SCALAR = /[^\s,\]}]+/y

/** Where a string ends, from any place inside of it: behind its closing quote. */
const endOfString = (text: string, inside: number): number => {
  for (let at = inside; ; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) return at + 1
    if (code === BACKSLASH) at++
  }
}

/** Where what `pattern` matches at `at` ends. */
const endOf = (pattern: RegExp, text: string, at: number): number => {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : at
}

const hasEscapedKey = (text: string): boolean => {
  for (let at = text.indexOf('\\'); at >= 0; at = text.indexOf('\\', at)) {
    at = endOfString(text, at)
    if (endOf(COLON, text, at) > at) return true
  }
  return false
}

/** Reads text that is known to be JSON. */
class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  value(): unknown {
    this.#at = endOf(BEFORE, this.#text, this.#at)
    const first = this.#text[this.#at]
    if (first === '{') return this.#record()
    if (first === '[') return this.#list()
    return this.#scalar(first === '"' ? endOfString(this.#text, this.#at + 1) : endOf(SCALAR, this.#text, this.#at))
  }

  #scalar(end: number): unknown {
    const written = this.#text.slice(this.#at, end)
    this.#at = end
    return JSON.parse(written)
  }

  /** Is this the end? Then it is behind it. */
  #ends(): boolean {
    this.#at = endOf(BEFORE, this.#text, this.#at)
    const ends = this.#text[this.#at] === '}' || this.#text[this.#at] === ']'
    if (ends) this.#at++
    return ends
  }

  #record(): { [key: string]: unknown } {
    const record = {}
    this.#at++
    while (!this.#ends()) {
      const key = this.#scalar(endOfString(this.#text, this.#at + 1)) as string
      this.#at = endOf(COLON, this.#text, this.#at)
      define(record, key, this.value())
    }
    return record
  }

  #list(): unknown[] {
    const list: unknown[] = []
    this.#at++
    while (!this.#ends()) list.push(this.value())
    return list
  }
}

/** Throws what `JSON.parse` throws. */
export const parseJson = (text: string): unknown => {
  const parsed: unknown = JSON.parse(text)
  return hasEscapedKey(text) ? new Reader(text).value() : parsed
}
