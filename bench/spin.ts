/** About a third of a second of integer work that no compiler removes. */
export const spin = (): number => {
  let x = 1
  for (let i = 0; i < 300_000_000; i++) x = (Math.imul(x, 1_664_525) + 1_013_904_223) | 0
  return x
}
