/** Where each item of a CBOR message stands: what the fuzzer needs to change one and leave the others whole. */

export interface Span {
  readonly major: number
  /** The number in the head: a value, a length, a count, a tag. */
  readonly argument: number
  readonly start: number
  /** Where the head ends. */
  readonly body: number
  readonly end: number
  /** Of lists, tags, and maps (key, value, key, value, …). */
  readonly items: readonly Span[]
}

/** The item that fills `bytes`, which are well-formed and of definite lengths. Throws if they are not. */
export const spanOf = (bytes: Uint8Array): Span => {
  let at = 0
  const read = (): Span => {
    const start = at
    const head = bytes[at++] ?? 0
    const major = head >> 5
    const info = head & 31
    if (info > 27) throw new Error(`no definite head: ${head}`)
    let argument = info < 24 ? info : 0
    for (let width = info < 24 ? 0 : 1 << (info - 24); width > 0; width--)
      argument = argument * 256 + (bytes[at++] ?? 0)
    const body = at
    if (major === 2 || major === 3) at += argument
    const count = major === 4 ? argument : major === 5 ? 2 * argument : major === 6 ? 1 : 0
    const items: Span[] = []
    while (items.length < count && at < bytes.length) items.push(read())
    return { major, argument, start, body, end: at, items }
  }
  const span = read()
  if (at !== bytes.length) throw new Error(`it ends at ${at}, not at ${bytes.length}`)
  return span
}

/** The item and all that are in it. */
export const spansIn = (span: Span): Span[] => [span, ...span.items.flatMap(spansIn)]

/** A head in its shortest form, or in the form of `width` bytes (1, 2, 4, 8) after the first. */
export const headOf = (major: number, argument: number, width = 0): Uint8Array => {
  const needed = argument < 24 ? 0 : argument < 2 ** 8 ? 1 : argument < 2 ** 16 ? 2 : argument < 2 ** 32 ? 4 : 8
  const bytes = new Uint8Array(1 + Math.max(needed, width))
  bytes[0] = (major << 5) | (bytes.length === 1 ? argument : 24 + Math.log2(bytes.length - 1))
  let rest = argument
  for (let i = bytes.length - 1; i > 0; i--) {
    bytes[i] = rest % 256
    rest = Math.floor(rest / 256)
  }
  return bytes
}
