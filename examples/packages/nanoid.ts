/** nanoid: short identifiers; the random numbers are those of the task. */
import { customAlphabet, customRandom, nanoid } from 'nanoid'

export default function names(count: number) {
  const ids = Array.from({ length: count }, () => nanoid())
  let next = 7
  const counted = customRandom('abcdef', 8, (size) =>
    Uint8Array.from({ length: size }, () => (next = (next * 75 + 74) % 251)),
  )
  return {
    distinct: new Set(ids).size,
    formed: ids.every((id) => /^[\w-]{21}$/.test(id)),
    digits: /^\d{12}$/.test(customAlphabet('0123456789', 12)()),
    counted: counted(),
  }
}
