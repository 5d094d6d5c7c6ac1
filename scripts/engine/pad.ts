/**
 * Makes the engine's count of its own stack a bound of the native one (decision 22). Each function that can recurse takes
 * so many bytes of the engine's stack that these stand for its native frame on the host where that is largest. So
 * QuickJS's own check comes before the end of any host's stack, everywhere at the same depth. Where a recursion passes no
 * check of QuickJS, each of these functions checks itself, and tells the glue.
 */
import binaryen from 'binaryen'
import {
  NATIVE_PER_STACK_BYTE,
  STACK_BYTES_MAX,
  STACK_RESERVE_BYTES,
  STACK_SLACK_BYTES,
} from '../../sandbox/constants.ts'
import { type CallGraph, callGraphOf, recursionIn } from './call-graph.ts'
import { isDispatch, mapChildren, only, ownFunctions, type Ref, replaceFunction } from './expressions.ts'
import { MARGIN, readNativeFrames } from './native-frames.ts'
import { stackFrameOf, stackPointerOf } from './stack-frame.ts'

/** The glue's function that is told of the end of the stack. It throws. */
const STACK_END = 'stack_end'
const STACK_END_IMPORT = 'u'

/** Nothing is inlined into the interpreter (`apart.ts`), and its frames hold the guest's variables besides. */
const INTERPRETER_MARGIN = 1.05
const ALIGNMENT = 16

const { i32, none } = binaryen

class Padder {
  readonly #module: binaryen.Module
  readonly #pointer: string
  /** The stack pointer may not go below. */
  readonly #floor: number

  constructor(module: binaryen.Module) {
    const { name, top } = stackPointerOf(module)
    this.#module = module
    this.#pointer = name
    this.#floor = top - STACK_BYTES_MAX - STACK_RESERVE_BYTES
    module.addFunctionImport(STACK_END, 'a', STACK_END_IMPORT, none, none)
  }

  #stackPointer = () => this.#module.global.get(this.#pointer, i32)

  #move(bytes: number): Ref {
    return this.#module.global.set(
      this.#pointer,
      this.#module.i32.add(this.#stackPointer(), this.#module.i32.const(bytes)),
    )
  }

  /** Ends the run if there are no `bytes` left. */
  #check(bytes: number): Ref {
    const module = this.#module
    const ended = module.block(null, [module.call(STACK_END, [], none), module.unreachable()])
    return module.if(module.i32.lt_u(this.#stackPointer(), module.i32.const(this.#floor + bytes)), ended)
  }

  /** Gives the function a frame of at least `wanted` bytes. */
  pad(info: binaryen.FunctionInfo, wanted: number): void {
    const module = this.#module
    const { body, results, vars, params } = info
    const frame = stackFrameOf(body, this.#pointer)
    const own = frame?.bytes ?? 0
    const more = Math.ceil(Math.max(0, wanted - own) / ALIGNMENT) * ALIGNMENT
    if (frame || more === 0) {
      if (more > 0) frame?.enlarge(more)
      return replaceFunction(module, info, module.block(null, [this.#check(own + more), body], results), vars)
    }
    const kept = binaryen.expandType(params).length + vars.length
    const ended = this.#ended(this.#returning(body, more, kept), more, kept, results)
    const begun = [this.#check(more), this.#move(-more)]
    replaceFunction(module, info, module.block(null, [...begun, ended], results), [
      ...vars,
      ...(results === none ? [] : [results]),
    ])
  }

  #returning(expression: Ref, bytes: number, kept: number): Ref {
    const module = this.#module
    mapChildren(expression, (child) => this.#returning(child, bytes, kept))
    if (binaryen.getExpressionId(expression) !== binaryen.ReturnId) return expression
    const { value } = binaryen.getExpressionInfo(expression) as binaryen.ReturnInfo
    return value
      ? module.return(this.#ended(value, bytes, kept, binaryen.getExpressionType(value)))
      : module.block(null, [this.#move(bytes), expression], binaryen.unreachable)
  }

  /** `last`, and then the frame given back. */
  #ended(last: Ref, bytes: number, kept: number, results: binaryen.Type): Ref {
    const module = this.#module
    if (binaryen.getExpressionType(last) === binaryen.unreachable) return last
    if (results === none) return module.block(null, [last, this.#move(bytes)], none)
    return module.block(
      null,
      [module.local.set(kept, last), this.#move(bytes), module.local.get(kept, results)],
      results,
    )
  }
}

/** The most that any chain of functions which cannot recurse takes: these have no check. */
const heaviestChain = (graph: CallGraph, order: readonly string[], weight: (name: string) => number): number => {
  const heaviest = new Map<string, number>()
  for (const name of order) {
    const below = Math.max(0, ...Array.from(graph.get(name) ?? [], (called) => heaviest.get(called) ?? 0))
    heaviest.set(name, weight(name) + below)
  }
  return Math.max(...heaviest.values())
}

export const padStack = (module: binaryen.Module): void => {
  const graph = callGraphOf(module)
  const { recursive, others } = recursionIn(graph)
  const functions = new Map(ownFunctions(module).map((info) => [info.name, info]))
  const interpreter = only([...functions.values()], isDispatch).name
  const { name: pointer } = stackPointerOf(module)
  const tail = heaviestChain(graph, others, (name) => stackFrameOf(functions.get(name)!.body, pointer)?.bytes ?? 0)
  if (tail > STACK_SLACK_BYTES - STACK_RESERVE_BYTES)
    throw new Error(`functions without a check take ${tail} bytes of stack`)
  const padder = new Padder(module)
  const frames = readNativeFrames()
  for (const name of recursive) {
    const native = frames.get(name)
    if (!native) throw new Error(`the frame of function ${name} has not been measured: node scripts/engine/measure.ts`)
    const margin = name === interpreter ? INTERPRETER_MARGIN : MARGIN
    padder.pad(functions.get(name)!, (native * margin) / NATIVE_PER_STACK_BYTE)
  }
}
