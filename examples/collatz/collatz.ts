/**
 * The Collatz sequence of n: halve what is even, else take three times it and one, until 1 is reached. Which number below
 * a limit goes the longest way? Blocks of numbers are searched anywhere, and the best of all blocks is the answer.
 */

/** A number and how many terms its sequence has, itself and 1 included. */
export interface Longest {
  number: number
  terms: number
}

const NONE: Longest = { number: 0, terms: 0 }

const BLOCK = 10_000

/** Above this, three times a number and one is no longer exact. */
const EXACT_MAX = (Number.MAX_SAFE_INTEGER - 1) / 3

/** The longest sequence of block 0 (1 to 9,999), block 1 (10,000 to 19,999), and so on: an item of `--range`. */
export default function block(index: number): Longest {
  return longest({ from: index * BLOCK, to: (index + 1) * BLOCK })
}

/** The longest sequence that begins in [from, to), of the smallest number; both 0 if the range is empty. */
export function longest({ from, to }: { from: number; to: number }): Longest {
  let best = NONE
  for (let number = Math.max(1, from); number < to; number++) {
    const terms = termsOf(number)
    if (terms > best.terms) best = { number, terms }
  }
  return best
}

/** The best of what the blocks found: the longest sequence, of the smallest number. */
export function best(found: Longest[]): Longest {
  return found.reduce((a, b) => (b.terms > a.terms || (b.terms === a.terms && b.number < a.number) ? b : a), NONE)
}

const termsOf = (number: number): number => {
  let terms = 1
  for (let at = number; at !== 1; terms++) {
    if (at > EXACT_MAX) throw new RangeError(`the sequence of ${number} leaves the whole numbers that are exact`)
    at = at % 2 === 0 ? at / 2 : 3 * at + 1
  }
  return terms
}
