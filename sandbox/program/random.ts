/** Bytes as if by chance, the same for the same seed: sfc32 (Chris Doty-Humphrey, PractRand), seeded with 16 bytes. Not fit for secrets. */

const WARM_UP = 12

export const randomBytes = (seed: Uint8Array): ((length: number) => Uint8Array) => {
  const words = new DataView(seed.slice(0, 16).buffer)
  let [a, b, c, counter] = [0, 4, 8, 12].map((at) => words.getInt32(at, true)) as [number, number, number, number]
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
    const bytes = new DataView(new ArrayBuffer(4 * Math.ceil(length / 4)))
    for (let at = 0; at < length; at += 4) bytes.setInt32(at, next(), true)
    return new Uint8Array(bytes.buffer, 0, length)
  }
}
