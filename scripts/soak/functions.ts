/** What is called during a soak: answers of all sizes, errors, work of all lengths, calls of calls. */

export const echo = (bytes: Uint8Array): Uint8Array => bytes

export const throws = (n: number): never => {
  throw new Error(`no luck with ${n}`)
}

export const work = (n: number): number => {
  let x = n
  for (let i = 0; i < 20_000; i++) x = (x * 31 + i) % 1_000_003
  return x
}

interface Context {
  call(ref: string, input: unknown): Promise<number>
}

export const nested = async (n: number, _env: object, ctx: Context): Promise<number> => {
  const [one, two] = await Promise.all([ctx.call('#work', n), ctx.call('#work', n + 1)])
  return one + two
}
