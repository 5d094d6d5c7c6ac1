/** Edits (insert, delete, replace a character) that lead from `a` to `b`. */
const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (const [i, x] of [...a].entries()) {
    const next = [i + 1]
    for (const [j, y] of [...b].entries())
      next.push(Math.min(row[j + 1]! + 1, next[j]! + 1, row[j]! + (x === y ? 0 : 1)))
    row = next
  }
  return row[b.length]!
}

/** The name that was probably meant; undefined if none is near. */
export const nearest = (meant: string, names: readonly string[]): string | undefined => {
  const [best] = names
    .map((name) => ({ name, away: distance(meant.toLowerCase(), name) }))
    .sort((a, b) => a.away - b.away)
  return best && best.away <= Math.max(2, best.name.length / 3) ? best.name : undefined
}
