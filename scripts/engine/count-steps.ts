/**
 * For the audit: makes the engine count each step that it takes, so that what is charged can be compared with what is
 * done, without a clock.
 */
import binaryen from 'binaryen'
import { METER } from '../../sandbox/wasm-names.ts'
import { contains, mapChildren, ownFunctions, type Ref, replaceFunction } from './expressions.ts'
import { FREE } from './work.ts'

/** Of the count, 64 bits, in the engine's memory. */
export const STEPS_ADDRESS = METER.address - 8

const { BlockId, BreakId, IfId, LoopId, ReturnId, SwitchId } = binaryen
const LEAVING = new Set<number>([BlockId, BreakId, IfId, LoopId, ReturnId, SwitchId])

const mayLeave = (expression: Ref): boolean => contains(expression, (_, id) => LEAVING.has(id))

/** Steps of `expression`, without those of blocks, loops and arms in it, which count for themselves. */
const ownSteps = (expression: Ref): number => {
  const id = binaryen.getExpressionId(expression)
  if (id === BlockId || id === LoopId) return 0
  if (id === IfId) return 1 + ownSteps((binaryen.getExpressionInfo(expression) as binaryen.IfInfo).condition)
  let steps = FREE.has(id) ? 0 : 1
  mapChildren(expression, (child) => {
    steps += ownSteps(child)
    return child
  })
  return steps
}

class Counter {
  readonly #module: binaryen.Module

  constructor(module: binaryen.Module) {
    this.#module = module
  }

  #count(steps: number): Ref {
    const { i32, i64 } = this.#module
    const counted = i64.load(STEPS_ADDRESS, 8, i32.const(0))
    return i64.store(STEPS_ADDRESS, 8, i32.const(0), i64.add(counted, i64.const(BigInt(steps))))
  }

  /** What is run as a whole, if it is run: the body of a function or a loop, an arm. */
  part(expression: Ref): Ref {
    if (binaryen.getExpressionId(expression) === BlockId) return this.#rewrite(expression)
    const steps = ownSteps(expression)
    const rewritten = this.#rewrite(expression)
    return this.#module.block(null, [this.#count(steps), rewritten], binaryen.getExpressionType(rewritten))
  }

  #rewrite(expression: Ref): Ref {
    const id = binaryen.getExpressionId(expression)
    if (id === BlockId) return this.#block(expression)
    const parts = new Set<Ref>()
    if (id === LoopId) parts.add((binaryen.getExpressionInfo(expression) as binaryen.LoopInfo).body)
    if (id === IfId) {
      const { ifTrue, ifFalse } = binaryen.getExpressionInfo(expression) as binaryen.IfInfo
      parts.add(ifTrue).add(ifFalse)
    }
    mapChildren(expression, (child) => (parts.has(child) ? this.part(child) : this.#rewrite(child)))
    return expression
  }

  /** A count stands before each run of children none of which, but the last, may leave the block. */
  #block(block: Ref): Ref {
    const { name, children } = binaryen.getExpressionInfo(block) as binaryen.BlockInfo
    const counted: Ref[] = []
    let from = 0
    for (const [i, child] of children.entries()) {
      if (!mayLeave(child) && i < children.length - 1) continue
      const run = children.slice(from, i + 1)
      const steps = run.reduce((sum, one) => sum + ownSteps(one), 0)
      if (steps > 0) counted.push(this.#count(steps))
      counted.push(...run.map((one) => this.#rewrite(one)))
      from = i + 1
    }
    return this.#module.block(name || null, counted, binaryen.getExpressionType(block))
  }
}

export const countSteps = (module: binaryen.Module): void => {
  const counter = new Counter(module)
  for (const info of ownFunctions(module)) replaceFunction(module, info, counter.part(info.body), info.vars)
}
