/** Changes messages a little: bytes as bytes, and items as CBOR, so that the result often comes past the reader. */
import type { Random } from '../../protocol/ports.ts'
import { headOf, type Span, spanOf, spansIn } from './cbor-spans.ts'
import { ODD_ITEMS, ODD_KEYS } from './oddities.ts'

/** One message to start from, with the place of each of its items; none if it is no CBOR but text. */
export interface Sample {
  readonly bytes: Uint8Array
  readonly spans: readonly Span[]
}

export const sampleOf = (bytes: Uint8Array, isText: boolean): Sample => ({
  bytes,
  spans: isText ? [] : spansIn(spanOf(bytes)),
})

const join = (parts: readonly Uint8Array[]): Uint8Array => {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}

type Draw = Random['below']

const pick = <T>(below: Draw, list: readonly T[]): T => list[below(list.length)] as T

/** The changes to bytes as bytes. `other` is another message, for splices. */
const BYTE_EDITS: readonly ((below: Draw, bytes: Uint8Array, other: Uint8Array) => Uint8Array)[] = [
  function flipBit(below, bytes) {
    const out = bytes.slice()
    const at = below(out.length)
    out[at] = (out[at] as number) ^ (1 << below(8))
    return out
  },
  function replaceByte(below, bytes) {
    const out = bytes.slice()
    out[below(out.length)] = below(256)
    return out
  },
  function insertByte(below, bytes) {
    const at = below(bytes.length + 1)
    return join([bytes.subarray(0, at), Uint8Array.of(below(256)), bytes.subarray(at)])
  },
  function deleteBytes(below, bytes) {
    const at = below(bytes.length)
    return join([bytes.subarray(0, at), bytes.subarray(at + 1 + below(3))])
  },
  function truncate(below, bytes) {
    return bytes.slice(0, below(bytes.length))
  },
  function append(below, bytes, other) {
    return join([bytes, other.subarray(0, 1 + below(8))])
  },
  function splice(below, bytes, other) {
    return join([bytes.subarray(0, below(bytes.length)), other.subarray(below(other.length))])
  },
]

/** Some item from elsewhere: odd, or out of this or another message. */
const graft = (below: Draw, sample: Sample, other: Sample): Uint8Array => {
  if (below(2) === 0) return pick(below, ODD_ITEMS)
  const donor = below(2) === 0 || other.spans.length === 0 ? sample : other
  const span = pick(below, donor.spans)
  return donor.bytes.subarray(span.start, span.end)
}

/** The parts of a list, or the pairs of a map. */
const partsOf = (bytes: Uint8Array, span: Span): Uint8Array[] => {
  const step = span.major === 5 ? 2 : 1
  const parts: Uint8Array[] = []
  for (let i = 0; i + step <= span.items.length; i += step)
    parts.push(bytes.subarray(span.items[i]?.start, span.items[i + step - 1]?.end))
  return parts
}

/** Canonical order of encoded pairs. Keys under 24 bytes have their length in the first byte, so that bytes decide. */
const compareBytes = (a: Uint8Array, b: Uint8Array): number => {
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return (a[i] as number) - (b[i] as number)
  return a.length - b.length
}

const newPart = (below: Draw, span: Span, sample: Sample, other: Sample): Uint8Array => {
  const value = graft(below, sample, other)
  if (span.major !== 5) return value
  const key = pick(below, ODD_KEYS)
  return join([headOf(3, key.length), key, value])
}

/** A list or map with one part more, less, twice or elsewhere, at times put into order again. */
const editParts = (below: Draw, span: Span, sample: Sample, other: Sample): Uint8Array => {
  const parts = partsOf(sample.bytes, span)
  const at = below(parts.length + 1)
  const part = parts[at]
  switch (part ? below(4) : 0) {
    case 0:
      parts.splice(at, 0, newPart(below, span, sample, other))
      break
    case 1:
      parts.splice(at, 1)
      break
    case 2:
      parts.splice(at, 0, part as Uint8Array)
      break
    default:
      parts.splice(at, 1)
      parts.splice(below(parts.length + 1), 0, part as Uint8Array)
  }
  if (span.major === 5 && below(2) === 0) parts.sort(compareBytes)
  return join([headOf(span.major, parts.length), ...parts])
}

const editContent = (below: Draw, content: Uint8Array): Uint8Array => {
  if (content.length === 0 || below(4) === 0) return join([content, new Uint8Array(1 + below(300)).fill(0x61)])
  return pick(below, BYTE_EDITS)(below, content, content)
}

const WIDTHS = [1, 2, 4, 8]

/** The changes to one item, given as the bytes to stand in its place. */
const ITEM_EDITS: readonly ((below: Draw, span: Span, sample: Sample, other: Sample) => Uint8Array)[] = [
  function replace(below, _span, sample, other) {
    return graft(below, sample, other)
  },
  function widenHead(below, { major, argument, body, end }, { bytes }) {
    return join([headOf(major, argument, pick(below, WIDTHS)), bytes.subarray(body, end)])
  },
  function retype(below, { argument, body, end }, { bytes }) {
    return join([headOf(below(7), argument), bytes.subarray(body, end)])
  },
  function changeArgument(below, { major, argument, body, end }, { bytes }) {
    const changed = below(2) === 0 ? Math.max(0, argument + 1 - below(3)) : 2 ** below(64) - below(2)
    return join([headOf(major, changed), bytes.subarray(body, end)])
  },
  function endless(_below, { major, body, end }, { bytes }) {
    return join([Uint8Array.of((major << 5) | 31), bytes.subarray(body, end), Uint8Array.of(0xff)])
  },
  function wrap(below, { start, end }, { bytes }) {
    return join([headOf(pick(below, [4, 6]), 1), bytes.subarray(start, end)])
  },
  function inside(below, span, sample, other) {
    const content = sample.bytes.subarray(span.body, span.end)
    if (span.major === 4 || span.major === 5) return editParts(below, span, sample, other)
    if (span.major !== 2 && span.major !== 3) return graft(below, sample, other)
    const edited = editContent(below, content)
    return join([headOf(span.major, edited.length), edited])
  },
]

/** Containers and their insides are where most rules are. */
const chooseItemEdit = (below: Draw) => pick(below, below(2) === 0 ? ITEM_EDITS : ITEM_EDITS.slice(-1))

/** A changed copy of `sample`; `other` lends bytes and items. It always differs from the sample. */
export const mutate = (random: Random, sample: Sample, other: Sample): Uint8Array => {
  const { below } = random
  let bytes = sample.bytes
  if (sample.spans.length > 0 && below(4) > 0) {
    const span = pick(below, sample.spans)
    const edited = chooseItemEdit(below)(below, span, sample, other)
    bytes = join([bytes.subarray(0, span.start), edited, bytes.subarray(span.end)])
  } else {
    for (let edits = 1 + below(3); edits > 0 && bytes.length > 0; edits--)
      bytes = pick(below, BYTE_EDITS)(below, bytes, other.bytes)
  }
  return Buffer.compare(bytes, sample.bytes) === 0 ? mutate(random, sample, other) : bytes
}
