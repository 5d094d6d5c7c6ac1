/** What is called during a soak: pure functions with answers of all sizes, errors and work. */

export const echo = (bytes: Uint8Array): Uint8Array => bytes

export const throws = (n: number): never => {
  throw new Error(`no luck with ${n}`)
}

export const work = (n: number): number => {
  let x = n
  for (let i = 0; i < 20_000; i++) x = (x * 31 + i) % 1_000_003
  return x
}
