/** Reads and rewrites the expressions of a wasm module: binaryen.js has no walker of its own. */
import binaryen from 'binaryen'

export type Ref = binaryen.ExpressionRef

/** The fields and lists of a kind that hold expressions, by the names of its accessors, as in `binaryen.If.getCondition`. */
interface Kind {
  name: string
  fields: readonly string[]
  list?: 'Child' | 'Operand'
}

const kind = (name: string, fields: readonly string[] = [], list?: Kind['list']): Kind => ({
  name,
  fields,
  ...(list && { list }),
})

const KINDS: Readonly<Record<number, Kind>> = {
  [binaryen.BlockId]: kind('Block', [], 'Child'),
  [binaryen.BreakId]: kind('Break', ['Value', 'Condition']),
  [binaryen.BinaryId]: kind('Binary', ['Left', 'Right']),
  [binaryen.CallId]: kind('Call', [], 'Operand'),
  [binaryen.CallIndirectId]: kind('CallIndirect', ['Target'], 'Operand'),
  [binaryen.ConstId]: kind('Const'),
  [binaryen.DropId]: kind('Drop', ['Value']),
  [binaryen.GlobalGetId]: kind('GlobalGet'),
  [binaryen.GlobalSetId]: kind('GlobalSet', ['Value']),
  [binaryen.IfId]: kind('If', ['Condition', 'IfTrue', 'IfFalse']),
  [binaryen.LoadId]: kind('Load', ['Ptr']),
  [binaryen.LocalGetId]: kind('LocalGet'),
  [binaryen.LocalSetId]: kind('LocalSet', ['Value']),
  [binaryen.LoopId]: kind('Loop', ['Body']),
  [binaryen.MemoryCopyId]: kind('MemoryCopy', ['Dest', 'Source', 'Size']),
  [binaryen.MemoryFillId]: kind('MemoryFill', ['Dest', 'Value', 'Size']),
  [binaryen.MemoryGrowId]: kind('MemoryGrow', ['Delta']),
  [binaryen.MemorySizeId]: kind('MemorySize'),
  [binaryen.NopId]: kind('Nop'),
  [binaryen.ReturnId]: kind('Return', ['Value']),
  [binaryen.SelectId]: kind('Select', ['IfTrue', 'IfFalse', 'Condition']),
  [binaryen.StoreId]: kind('Store', ['Ptr', 'Value']),
  [binaryen.SwitchId]: kind('Switch', ['Value', 'Condition']),
  [binaryen.UnaryId]: kind('Unary', ['Value']),
  [binaryen.UnreachableId]: kind('Unreachable'),
}

type Accessors = Record<string, (expression: Ref, first?: number, second?: Ref) => Ref>

const kindOf = (expression: Ref): Kind => {
  const id = binaryen.getExpressionId(expression)
  const found = KINDS[id]
  if (!found) throw new Error(`an expression of kind ${id}, which the engine has had none of`)
  return found
}

/** Replaces each expression that `expression` holds by what `replace` makes of it. */
export const mapChildren = (expression: Ref, replace: (child: Ref) => Ref): void => {
  const { name, fields, list } = kindOf(expression)
  const accessors = (binaryen as unknown as Record<string, Accessors>)[name] as Accessors
  for (const field of fields) {
    const child = accessors[`get${field}`]?.(expression) ?? 0
    const next = child === 0 ? 0 : replace(child)
    if (next !== child) accessors[`set${field}`]?.(expression, next)
  }
  const count = list ? (accessors[list === 'Child' ? 'getNumChildren' : 'getNumOperands']?.(expression) ?? 0) : 0
  for (let i = 0; i < count; i++) {
    const child = accessors[`get${list}At`]?.(expression, i) ?? 0
    const next = replace(child)
    if (next !== child) accessors[`set${list}At`]?.(expression, i, next)
  }
}

/** Visits `expression` and all in it, outermost first; not what is in one for which `visit` returns false. */
export const walk = (expression: Ref, visit: (found: Ref, id: number) => unknown): void => {
  if (visit(expression, binaryen.getExpressionId(expression)) === false) return
  mapChildren(expression, (child) => {
    walk(child, visit)
    return child
  })
}

export const contains = (expression: Ref, test: (found: Ref, id: number) => boolean): boolean => {
  let found = false
  walk(expression, (ref, id) => {
    found ||= test(ref, id)
    return !found
  })
  return found
}

export const breakOf = (ref: Ref) => binaryen.getExpressionInfo(ref) as binaryen.BreakInfo
export const callOf = (ref: Ref) => binaryen.getExpressionInfo(ref) as binaryen.CallInfo
export const loopOf = (ref: Ref) => binaryen.getExpressionInfo(ref) as binaryen.LoopInfo
export const switchOf = (ref: Ref) => binaryen.getExpressionInfo(ref) as binaryen.SwitchInfo

/** The module's own functions, in order. */
export const ownFunctions = (module: binaryen.Module): binaryen.FunctionInfo[] =>
  Array.from({ length: module.getNumFunctions() }, (_, i) =>
    binaryen.getFunctionInfo(module.getFunctionByIndex(i)),
  ).filter(({ module: importedFrom }) => !importedFrom)

/** The name in the module of the function that it imports as `base`. */
export const importedFunction = (module: binaryen.Module, base: string): string => {
  for (let i = 0; i < module.getNumFunctions(); i++) {
    const found = binaryen.getFunctionInfo(module.getFunctionByIndex(i))
    if (found.module && found.base === base) return found.name
  }
  throw new Error(`the engine imports no function ${base}`)
}

/** Gives the function another body and locals; binaryen.js cannot add a local to one that is there. */
export const replaceFunction = (
  module: binaryen.Module,
  { name, params, results }: binaryen.FunctionInfo,
  body: Ref,
  locals: readonly binaryen.Type[],
): void => {
  module.removeFunction(name)
  module.addFunction(name, params, results, [...locals], body)
}

/** Accessors of binaryen.js that its types lack. */
interface Accessor {
  Block: { setChildAt(block: Ref, i: number, child: Ref): void }
  CallIndirect: {
    getParams(ref: Ref): binaryen.Type
    getResults(ref: Ref): binaryen.Type
    getTable(ref: Ref): string
  }
  Const: { setValueI32(ref: Ref, value: number): void }
}
const accessor = binaryen as unknown as Accessor

export const callIndirectOf = (ref: Ref) => {
  const { target, operands } = binaryen.getExpressionInfo(ref) as binaryen.CallIndirectInfo
  const { getParams, getResults, getTable } = accessor.CallIndirect
  return { target, operands, params: getParams(ref), results: getResults(ref), table: getTable(ref) }
}

export const setChildAt = (block: Ref, i: number, child: Ref): void => accessor.Block.setChildAt(block, i, child)

export const setConstant = (ref: Ref, value: number): void => accessor.Const.setValueI32(ref, value)

/** The interpreter's `br_table` over its opcodes has more arms than any other. */
const OPCODES_MIN = 200

export const isDispatch = (ref: Ref, id: number) => id === binaryen.SwitchId && switchOf(ref).names.length > OPCODES_MIN

/** The one function that has an expression like this. */
export const only = (
  functions: readonly binaryen.FunctionInfo[],
  test: (ref: Ref, id: number) => boolean,
): binaryen.FunctionInfo => {
  const [found, ...others] = functions.filter(({ body }) => contains(body, test))
  if (!found || others.length > 0) throw new Error('the engine has not exactly one function of a shape that is sought')
  return found
}
