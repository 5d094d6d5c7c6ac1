/** Bytes as if by chance, the same for the same seed: sfc32 (Chris Doty-Humphrey, PractRand), seeded with 16 bytes. Not fit for secrets. */

const WARM_UP = 12

export const randomBytes = (seed: Uint8Array): ((length: number) => Uint8Array) => {
  const words = new Int32Array(seed.slice(0, 16).buffer)
  let [a = 0, b = 0, c = 0, counter = 0] = words
  const next = (): number => {
    const sum = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return sum
  }
  for (let i = 0; i < WARM_UP; i++) next()
  return (length) => {
    const bytes = new Uint8Array(length)
    let word = 0
    for (let i = 0; i < length; i++) {
      word = i % 4 === 0 ? next() : word >>> 8
      bytes[i] = word
    }
    return bytes
  }
}
