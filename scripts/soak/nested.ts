/** A function with effects, for a soak: it calls others. */

interface Context {
  call(ref: string, input: unknown): Promise<number>
}

export const nested = async (n: number, _env: object, ctx: Context): Promise<number> => {
  const [one, two] = await Promise.all([ctx.call('#work', n), ctx.call('#work', n + 1)])
  return one + two
}

export const work = (n: number): number => 31 * n + 7
