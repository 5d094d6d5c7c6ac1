/** Puts the body of a function in the place of a call of it. */
import binaryen from 'binaryen'
import { contains, mapChildren, type Ref, walk } from './expressions.ts'

interface Named {
  getName(ref: Ref): string | null
  setName(ref: Ref, name: string): void
}

/** What the types of binaryen.js lack. */
interface Accessor {
  LocalGet: { setIndex(ref: Ref, index: number): void }
  LocalSet: { setIndex(ref: Ref, index: number): void }
  Block: Named
  Loop: Named
  Break: Named
}
const accessor = binaryen as unknown as Accessor

/** Expressions with a label, or that go to one. */
const NAMED = new Map<number, Named>([
  [binaryen.BlockId, accessor.Block],
  [binaryen.LoopId, accessor.Loop],
  [binaryen.BreakId, accessor.Break],
])

const UNFIT = new Set<number>([binaryen.GlobalSetId, binaryen.SwitchId])

/** Can it be? One that has a frame on the engine's stack keeps it to itself. */
export const isInlinable = ({ body }: binaryen.FunctionInfo): boolean => !contains(body, (_, id) => UNFIT.has(id))

const zero = (module: binaryen.Module, type: binaryen.Type): Ref => {
  if (type === binaryen.i32) return module.i32.const(0)
  return type === binaryen.i64 ? module.i64.const(0n) : module.f64.const(0)
}

export class Inliner {
  readonly #module: binaryen.Module
  readonly #firstLocal: number
  /** The variables that the function gets which calls. */
  readonly locals: binaryen.Type[] = []
  #count = 0

  constructor(module: binaryen.Module, caller: binaryen.FunctionInfo) {
    this.#module = module
    this.#firstLocal = binaryen.expandType(caller.params).length + caller.vars.length
  }

  /** What stands for a call of `target` with `operands`. */
  inline({ params, vars, results, body }: binaryen.FunctionInfo, operands: readonly Ref[]): Ref {
    const module = this.#module
    const base = this.#firstLocal + this.locals.length
    const prefix = `inlined_${this.#count++}_`
    const end = `${prefix}end`
    this.locals.push(...binaryen.expandType(params), ...vars)
    const given = operands.map((operand, i) => module.local.set(base + i, operand))
    const empty = vars.map((type, i) => module.local.set(base + operands.length + i, zero(module, type)))
    const copied = this.#moved(module.copyExpression(body), base, prefix, end)
    return module.block(end, [...given, ...empty, copied], results)
  }

  #moved(body: Ref, base: number, prefix: string, end: string): Ref {
    walk(body, (ref, id) => {
      if (id === binaryen.LocalGetId)
        accessor.LocalGet.setIndex(ref, base + (binaryen.getExpressionInfo(ref) as binaryen.LocalGetInfo).index)
      if (id === binaryen.LocalSetId)
        accessor.LocalSet.setIndex(ref, base + (binaryen.getExpressionInfo(ref) as binaryen.LocalSetInfo).index)
      const named = NAMED.get(id)
      const name = named?.getName(ref)
      if (name) named?.setName(ref, `${prefix}${name}`)
    })
    const ended = (ref: Ref): Ref => {
      mapChildren(ref, ended)
      if (binaryen.getExpressionId(ref) !== binaryen.ReturnId) return ref
      const { value } = binaryen.getExpressionInfo(ref) as binaryen.ReturnInfo
      return value ? this.#module.br(end, undefined, value) : this.#module.br(end)
    }
    return ended(body)
  }
}
