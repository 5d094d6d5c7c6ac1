/**
 * Keeps hosts from inlining anything into the interpreter (decision 22): its native frame would be up to twice as large,
 * by what ran before. What it calls is made too large for that, with instructions that are no code on any host.
 */
import binaryen from 'binaryen'
import {
  callIndirectOf,
  callOf,
  isDispatch,
  mapChildren,
  only,
  ownFunctions,
  type Ref,
  replaceFunction,
  walk,
} from './expressions.ts'
import { Inliner, isInlinable } from './inline.ts'
import { fewerLocals } from './slim.ts'

/** V8 inlines no function of more bytes (`--wasm-inlining-max-size`). */
const INLINED_BYTES_MAX = 500

/** What is smaller is put in the place of its calls in the interpreter, as hosts would do sooner or later. */
const SMALL_INSTRUCTIONS_MAX = 25

/** Each is a byte at least. */
const instructionsIn = (body: Ref): number => {
  let count = 0
  walk(body, (_, id) => {
    if (id !== binaryen.BlockId) count++
  })
  return count
}

const enlarged = (module: binaryen.Module, body: Ref, results: binaryen.Type): Ref =>
  module.block(null, [...Array.from({ length: INLINED_BYTES_MAX }, () => module.nop()), body], results)

/** A function that makes the indirect call `ref`, whose last parameter is the place in the table. */
const addIndirection = (module: binaryen.Module, name: string, ref: Ref): void => {
  const { params, results, table } = callIndirectOf(ref)
  const types = binaryen.expandType(params)
  const operands = types.map((type, i) => module.local.get(i, type))
  const target = module.local.get(types.length, binaryen.i32)
  const body = module.call_indirect(table, target, operands, params, results)
  const all = binaryen.createType([...types, binaryen.i32])
  module.addFunction(name, all, results, [], enlarged(module, body, results))
}

/** Rewrites the calls in the interpreter. */
class Calls {
  /** What is called by name. */
  readonly called = new Set<string>()
  readonly inliner: Inliner
  readonly #module: binaryen.Module
  readonly #small: ReadonlyMap<string, binaryen.FunctionInfo>
  readonly #indirections = new Map<string, string>()

  constructor(
    module: binaryen.Module,
    interpreter: binaryen.FunctionInfo,
    functions: readonly binaryen.FunctionInfo[],
  ) {
    const small = functions.filter((info) => instructionsIn(info.body) <= SMALL_INSTRUCTIONS_MAX && isInlinable(info))
    this.#module = module
    this.#small = new Map(small.map((info) => [info.name, info]))
    this.inliner = new Inliner(module, interpreter)
  }

  /** `inlines`: calls in what has been put in the place of a call stay calls. */
  rewrite(ref: Ref, inlines = true): Ref {
    mapChildren(ref, (child) => this.rewrite(child, inlines))
    const id = binaryen.getExpressionId(ref)
    if (id === binaryen.CallIndirectId) return this.#indirect(ref)
    if (id !== binaryen.CallId) return ref
    const { target, operands } = callOf(ref)
    const small = inlines && this.#small.get(target)
    if (small) return this.rewrite(this.inliner.inline(small, operands), false)
    this.called.add(target)
    return ref
  }

  #indirect(ref: Ref): Ref {
    const { params, results, operands, target } = callIndirectOf(ref)
    const type = `${params}>${results}`
    const name = this.#indirections.get(type) ?? `indirection_${this.#indirections.size}`
    if (!this.#indirections.has(type)) addIndirection(this.#module, name, ref)
    this.#indirections.set(type, name)
    return this.#module.call(name, [...operands, target], results)
  }
}

export const keepApart = (module: binaryen.Module): void => {
  const functions = ownFunctions(module)
  const interpreter = only(functions, isDispatch)
  const calls = new Calls(module, interpreter, functions)
  const body = calls.rewrite(interpreter.body)
  replaceFunction(module, interpreter, body, [...interpreter.vars, ...calls.inliner.locals])
  fewerLocals(module, interpreter.name)
  for (const info of functions) {
    const { name, body, results, vars } = info
    if (name !== interpreter.name && calls.called.has(name) && instructionsIn(body) < INLINED_BYTES_MAX)
      replaceFunction(module, info, enlarged(module, body, results), vars)
  }
}
