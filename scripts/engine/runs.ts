/**
 * The interpreter polls at calls and jumps. What it runs between two of them may be long, where code has no jumps: so it
 * keeps the address of the opcode that it is at, and pays for the way that it came since the last poll at the next one,
 * where an exception is caught, and at the end.
 */
import binaryen from 'binaryen'
import { callOf, contains, isDispatch, mapChildren, type Ref, switchOf, walk } from './expressions.ts'
import { POLL, RUN, RUN_BYTES_FREE } from './meter-functions.ts'

const { i32, none } = binaryen

export class Runs {
  readonly locals = [i32, i32]
  readonly #module: binaryen.Module
  readonly #body: Ref
  readonly #poll: string
  /** Locals: of the opcode that is run, and of the one after the last poll; 0 before the first. */
  readonly #at: number
  readonly #from: number

  /** `body`: of the interpreter. Its locals from `local` on are new. */
  constructor(module: binaryen.Module, body: Ref, local: number, poll: string) {
    this.#module = module
    this.#body = body
    this.#poll = poll
    this.#at = local
    this.#from = local + 1
  }

  /** Changes the loop that goes round once an opcode, in place. */
  prepare(): void {
    const loop = this.#dispatchLoop()
    const next = this.#nextOpcode(loop)
    const module = this.#module
    const begin = () => module.local.set(this.#from, module.local.get(next, i32))
    this.#payAtPolls(loop, begin)
    const noted = module.local.set(this.#at, module.local.get(next, i32))
    mapChildren(loop, (body) => module.block(null, [noted, body], binaryen.getExpressionType(body)))
    mapInPlace(this.#body, (ref) =>
      ref === loop ? module.block(null, [this.ended(), begin(), loop], binaryen.getExpressionType(loop)) : ref,
    )
  }

  /** Pays for what was run since the last poll, if that is much. */
  ended(): Ref {
    const { i32: of } = this.#module
    const long = of.gt_u(this.#length(), of.const(RUN_BYTES_FREE))
    return this.#module.if(long, this.#module.call(RUN, [this.#length()], none))
  }

  #length(): Ref {
    const { i32: of, local } = this.#module
    return of.sub(local.get(this.#at, i32), local.get(this.#from, i32))
  }

  /** The innermost loop around the dispatch. */
  #dispatchLoop(): Ref {
    let found: Ref | undefined
    walk(this.#body, (ref, id) => {
      if (id === binaryen.LoopId && contains(ref, isDispatch)) found = ref
    })
    if (found === undefined) throw new Error('the interpreter has no loop around its opcodes')
    return found
  }

  /** The local that holds the address of the next opcode where the loop goes round: it is copied to where the opcode is read from. */
  #nextOpcode(loop: Ref): number {
    const addresses = new Set<number>()
    walk(loop, (ref, id) => {
      if (!isDispatch(ref, id)) return
      walk(switchOf(ref).condition, (inner, innerId) => {
        if (innerId !== binaryen.LoadId) return
        const { ptr } = binaryen.getExpressionInfo(inner) as binaryen.LoadInfo
        addresses.add((binaryen.getExpressionInfo(ptr) as binaryen.LocalGetInfo).index)
      })
    })
    const [address, ...others] = addresses
    let next: number | undefined
    walk(loop, (ref, id) => {
      if (next !== undefined || id !== binaryen.LocalSetId) return
      const { index, value } = binaryen.getExpressionInfo(ref) as binaryen.LocalSetInfo
      if (index !== address || binaryen.getExpressionId(value) !== binaryen.LocalGetId) return
      next = (binaryen.getExpressionInfo(value) as binaryen.LocalGetInfo).index
    })
    if (address === undefined || others.length > 0 || next === undefined)
      throw new Error('the interpreter does not read its opcodes as it did')
    return next
  }

  #payAtPolls(loop: Ref, begin: () => Ref): void {
    const module = this.#module
    mapInPlace(loop, (ref) => {
      if (binaryen.getExpressionId(ref) !== binaryen.CallId || callOf(ref).target !== this.#poll) return ref
      return module.block(null, [module.call(POLL, [this.#length()], none), begin(), module.i32.const(0)], i32)
    })
  }
}

const mapInPlace = (expression: Ref, replace: (ref: Ref) => Ref): void => {
  mapChildren(expression, (child) => {
    mapInPlace(child, replace)
    return replace(child)
  })
}
