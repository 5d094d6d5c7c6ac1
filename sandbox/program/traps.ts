/** Traps of WebAssembly in words of ours: each host has its own. */

const OUTSIDE = 'it reached outside its memory or its table'
const WRONG_CALL = 'it called through a pointer what is no function of that type'
const ARITHMETIC = 'it divided by zero, or a number did not fit into an integer'

/** By how the messages of V8 and of SpiderMonkey begin, in the versions that tests run. One that is not here makes a run inconclusive. */
const WORDS: readonly (readonly [message: string, words: string])[] = [
  ['unreachable', 'it reached code that is never to be reached: it has aborted'],
  ['memory access out of bounds', OUTSIDE],
  ['index out of bounds', OUTSIDE],
  ['table index is out of bounds', OUTSIDE],
  ['table index out of bounds', OUTSIDE],
  ['null function', WRONG_CALL],
  ['function signature mismatch', WRONG_CALL],
  ['indirect call to null', WRONG_CALL],
  ['indirect call signature mismatch', WRONG_CALL],
  ['divide by zero', ARITHMETIC],
  ['remainder by zero', ARITHMETIC],
  ['divide result unrepresentable', ARITHMETIC],
  ['float unrepresentable in integer range', ARITHMETIC],
  ['integer divide by zero', ARITHMETIC],
  ['integer overflow', ARITHMETIC],
  ['invalid conversion to integer', ARITHMETIC],
]

/** Undefined: no trap that is the same on every host. */
export const trapWords = (thrown: unknown): string | undefined =>
  thrown instanceof WebAssembly.RuntimeError
    ? WORDS.find(([message]) => thrown.message.startsWith(message))?.[1]
    : undefined
