/** How a module can be called from outside: as a WASI command, or by functions over bytes. */
import type { FunctionType, MeteredFacts } from './form.ts'

const NOTHING: FunctionType = { params: [], results: [] }
/** The input lies at an address for a length in bytes; so does the result, in one number: address << 32 | length. */
const OVER_BYTES: FunctionType = { params: ['i32', 'i32'], results: ['i64'] }
const ALLOC_TYPE: FunctionType = { params: ['i32'], results: ['i32'] }

/** Finds room for the input: a length in bytes, an address. */
export const ALLOC = 'alloc'
export const COMMAND_ENTRY = '_start'
/** Called once before anything else, if there is one and the module is no command. */
export const REACTOR_ENTRY = '_initialize'
/** The export that stands for a command. */
const DEFAULT = 'default'

const sameType = (a: FunctionType, b: FunctionType): boolean =>
  a.params.join() === b.params.join() && a.results.join() === b.results.join()

const has = ({ exports }: MeteredFacts, name: string, type: FunctionType): boolean =>
  exports.some((one) => one.name === name && sameType(one.type, type))

export const isCommand = (facts: MeteredFacts): boolean => has(facts, COMMAND_ENTRY, NOTHING)
export const isReactor = (facts: MeteredFacts): boolean => !isCommand(facts) && has(facts, REACTOR_ENTRY, NOTHING)

/** What can be called from outside, in the order of the module. */
export const callableExports = (facts: MeteredFacts): string[] => {
  if (isCommand(facts)) return [DEFAULT]
  if (!has(facts, ALLOC, ALLOC_TYPE)) return []
  return facts.exports.filter(({ type }) => sameType(type, OVER_BYTES)).map(({ name }) => name)
}
