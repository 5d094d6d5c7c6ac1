/**
 * Keeps hosts from inlining anything into the interpreter (decision 22): its native frame would be up to twice as large,
 * by what ran before. What it calls is made too large for that, with instructions that are no code on any host.
 */
import binaryen from 'binaryen'
import {
  callIndirectOf,
  callOf,
  contains,
  isDispatch,
  mapChildren,
  only,
  ownFunctions,
  type Ref,
  replaceFunction,
  walk,
} from './expressions.ts'

/** V8 inlines no function of more bytes (`--wasm-inlining-max-size`). */
const INLINED_BYTES_MAX = 500

/** What is smaller is copied into the interpreter, if it needs no variable there. */
const COPIED_INSTRUCTIONS_MAX = 25

/** Each is a byte at least. */
const instructionsIn = (body: Ref): number => {
  let count = 0
  walk(body, (_, id) => {
    if (id !== binaryen.BlockId) count++
  })
  return count
}

/** The body of a function that looks at no parameter, has no variable and goes nowhere but to its end: like the poll for fuel. */
const bodyAlone = ({ body, vars }: binaryen.FunctionInfo): Ref | undefined => {
  const id = (ref: Ref) => binaryen.getExpressionId(ref)
  const bound = contains(body, (ref) => [binaryen.LocalGetId, binaryen.BreakId, binaryen.ReturnId].includes(id(ref)))
  return bound || vars.length > 0 || instructionsIn(body) > COPIED_INSTRUCTIONS_MAX ? undefined : body
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

export const keepApart = (module: binaryen.Module): void => {
  const functions = ownFunctions(module)
  const interpreter = only(functions, isDispatch)
  const alone = new Map(functions.map((info) => [info.name, bodyAlone(info)]))
  const called = new Set<string>()
  const indirections = new Map<string, string>()
  const reroute = (ref: Ref): Ref => {
    mapChildren(ref, reroute)
    const id = binaryen.getExpressionId(ref)
    if (id === binaryen.CallId) {
      const { target, operands } = callOf(ref)
      const copied = operands.every((one) => binaryen.getExpressionId(one) === binaryen.LocalGetId) && alone.get(target)
      if (copied) return module.copyExpression(copied)
      called.add(target)
    }
    if (id !== binaryen.CallIndirectId) return ref
    const { params, results, operands, target } = callIndirectOf(ref)
    const type = `${params}>${results}`
    const name = indirections.get(type) ?? `indirection_${indirections.size}`
    if (!indirections.has(type)) addIndirection(module, name, ref)
    indirections.set(type, name)
    return module.call(name, [...operands, target], results)
  }
  replaceFunction(module, interpreter, reroute(interpreter.body), interpreter.vars)
  for (const info of functions) {
    const { name, body, results, vars } = info
    if (name !== interpreter.name && called.has(name) && instructionsIn(body) < INLINED_BYTES_MAX)
      replaceFunction(module, info, enlarged(module, body, results), vars)
  }
}
