/** Outcomes in words: whole, in short, and where two of them differ. */
import type { Outcome } from '../../protocol/outcome.ts'
import { decodeValue, valueToJson } from '../../protocol/values.ts'
import { plainText } from '../plain-text.ts'
import { countOf } from './words.ts'

const SHOWN_CHARS_MAX = 160
/** Of what precedes the first difference. */
const CONTEXT_CHARS = 20

/** A liar may sign for bytes that are no Value. */
export const valueText = (encoded: Uint8Array): string | undefined => {
  try {
    return valueToJson(decodeValue(encoded))
  } catch {
    return undefined
  }
}

export const resultText = ({ result }: Outcome): string => {
  if (!result.ok) return `the error ${result.code}: ${result.message}`
  return valueText(result.value) ?? `${countOf(result.value.length, 'byte')} that are no value`
}

/** All that outcomes are compared by, as text. */
const partsOf = (outcome: Outcome): [name: string, text: string][] => {
  const { result, requests, console, fuel, memory_bytes } = outcome
  const requested = requests.map(({ kind, arguments: bytes }) => `${kind} ${valueText(bytes)}`)
  return [
    ['', resultText(outcome)],
    ['the stack ', result.ok ? '' : result.stack],
    ['the requests ', JSON.stringify(requested)],
    ['the console ', JSON.stringify(console.map(({ level, text }) => [level, text]))],
    ['fuel ', String(fuel)],
    ['memory_bytes ', String(memory_bytes)],
  ]
}

export const excerpt = (text: string, at: number): string => {
  const from = text.length <= SHOWN_CHARS_MAX ? 0 : Math.max(0, at - CONTEXT_CHARS)
  const shown = text.slice(from, from + SHOWN_CHARS_MAX)
  return plainText(`${from > 0 ? '…' : ''}${shown}${from + shown.length < text.length ? '…' : ''}`)
}

const firstDifference = (a: string, b: string): number => {
  let at = 0
  while (at < a.length && a[at] === b[at]) at++
  return at
}

/** The first part in which two outcomes differ, around the place where they do. */
export const differenceWords = (says: Outcome, gives: Outcome): [says: string, gives: string] => {
  const others = partsOf(gives)
  const parts = partsOf(says).map(([name, text], i) => ({ name, text, other: others[i]?.[1] ?? '' }))
  const { name, text, other } = parts.find((part) => part.text !== part.other) ?? {
    ...{ name: '', text: resultText(says), other: resultText(gives) },
  }
  const at = firstDifference(text, other)
  return [name + excerpt(text, at), name + excerpt(other, at)]
}
