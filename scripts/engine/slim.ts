/**
 * Makes the native frame of the interpreter small (decision 22): each call of a guest is one such frame, and a page has
 * room for half a megabyte of them. LLVM keeps sums of a variable and a constant in variables of their own for the whole
 * function; here they are computed again where they are read.
 */
import binaryen from 'binaryen'
import {
  isDispatch,
  mapChildren,
  only,
  ownFunctions,
  type Ref,
  replaceFunction,
  setChildAt,
  walk,
} from './expressions.ts'

const localOf = (ref: Ref) => (binaryen.getExpressionInfo(ref) as binaryen.LocalGetInfo).index
const setOf = (ref: Ref) => binaryen.getExpressionInfo(ref) as binaryen.LocalSetInfo

const count = (counts: Map<number, number>, local: number) => counts.set(local, (counts.get(local) ?? 0) + 1)

/** How often each local is read and set in `expressions`. */
const uses = (...expressions: readonly Ref[]) => {
  const reads = new Map<number, number>()
  const sets = new Map<number, number>()
  for (const expression of expressions)
    walk(expression, (ref, id) => {
      if (id === binaryen.LocalGetId) count(reads, localOf(ref))
      if (id === binaryen.LocalSetId) count(sets, setOf(ref).index)
    })
  return { reads, sets }
}

const CHEAP = new Set<number>([binaryen.LocalGetId, binaryen.ConstId, binaryen.BinaryId, binaryen.UnaryId])

/** One operation on one local and constants: costs less than reading a value back from the native stack. */
const isCheap = (expression: Ref): boolean => {
  const ids: number[] = []
  walk(expression, (_, id) => ids.push(id))
  const operations = ids.filter((id) => id === binaryen.BinaryId || id === binaryen.UnaryId).length
  return ids.every((id) => CHEAP.has(id)) && operations <= 1 && uses(expression).reads.size <= 1
}

/**
 * Computes the locals that `block` sets where they are read: each that is set nowhere else, read in what follows in the
 * block and nowhere else, and of a value that does not change there.
 */
const recompute = (module: binaryen.Module, block: Ref, all: ReturnType<typeof uses>): void => {
  const { children } = binaryen.getExpressionInfo(block) as binaryen.BlockInfo
  for (const [i, child] of children.entries()) {
    if (binaryen.getExpressionId(child) !== binaryen.LocalSetId) continue
    const { index, value } = setOf(child)
    if (all.sets.get(index) !== 1 || !isCheap(value)) continue
    const after = uses(...children.slice(i + 1))
    const changes = [...uses(value).reads.keys()].some((input) => after.sets.has(input))
    if (changes || after.reads.get(index) !== all.reads.get(index)) continue
    const substitute = (ref: Ref): Ref => {
      if (binaryen.getExpressionId(ref) === binaryen.LocalGetId && localOf(ref) === index)
        return module.copyExpression(value)
      mapChildren(ref, substitute)
      return ref
    }
    for (const later of children.slice(i + 1)) mapChildren(later, substitute)
    setChildAt(block, i, module.nop())
  }
}

/** Lets variables of a function that are never needed at once be one. */
export const fewerLocals = (module: binaryen.Module, name: string): void => {
  binaryen.setOptimizeLevel(2)
  binaryen.setShrinkLevel(0)
  module.runPassesOnFunction(name, ['coalesce-locals', 'reorder-locals', 'vacuum'])
}

export const slimInterpreter = (module: binaryen.Module): void => {
  const info = only(ownFunctions(module), isDispatch)
  const all = uses(info.body)
  const blocks: Ref[] = []
  walk(info.body, (ref, id) => {
    if (id === binaryen.BlockId) blocks.push(ref)
  })
  for (const block of blocks) recompute(module, block, all)
  replaceFunction(module, info, info.body, info.vars)
  fewerLocals(module, info.name)
}
