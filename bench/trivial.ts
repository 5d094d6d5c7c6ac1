/** The function of the overhead benchmarks: as good as nothing to compute. */
export default function trivial(input: { n: number }): { n: number } {
  return { n: input.n + 1 }
}
