/** seedrandom: the same dice everywhere. */
import seedrandom from 'seedrandom'

export default function roll({ seed, times }: { seed: string; times: number }) {
  const random = seedrandom(seed)
  return {
    dice: Array.from({ length: times }, () => 1 + Math.floor(random() * 6)),
    exact: seedrandom.alea(seed).double(),
  }
}
