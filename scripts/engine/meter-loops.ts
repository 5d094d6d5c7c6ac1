/**
 * Makes the engine charge all of its work to one word of its memory, and tick inside of it (decision 24). The
 * interpreter's polls take UNITS_PER_FUEL from the word; each round of a loop takes what one round is worth; copying
 * and filling memory take by size, before they begin, and growing it when it has grown. Below zero, the tick's import is called and a tick added.
 */
import binaryen from 'binaryen'
import { METER } from '../../sandbox/wasm-names.ts'
import {
  breakOf,
  callOf,
  contains,
  importedFunction,
  isDispatch,
  loopOf,
  mapChildren,
  only,
  ownFunctions,
  type Ref,
  replaceFunction,
  switchOf,
  walk,
} from './expressions.ts'
import { addFunctions, BULK, CHARGE, GROW, owe, take } from './meter-functions.ts'
import { Runs } from './runs.ts'
import { Work } from './work.ts'

/** A function adds up what its loops cost, and charges it when it comes to this, or when it ends. */
const FLUSH_UNITS = 4096
const STEPS_PER_UNIT = 2
const ITERATION_UNITS_MAX = 64

/** QuickJS's JS_INTERRUPT_COUNTER_INIT, and where JSContext and the state of a regular expression's run count it down. */
const POLLS = 10_000
const CONTEXT_POLLS_OFFSET = 232
const REGEXP_POLLS_OFFSET = 20

const { i32, none } = binaryen

const storesPolls = (offset: number) => (ref: Ref, id: number) => {
  if (id !== binaryen.StoreId) return false
  const store = binaryen.getExpressionInfo(ref) as binaryen.StoreInfo
  if (store.offset !== offset || binaryen.getExpressionId(store.value) !== binaryen.ConstId) return false
  return (binaryen.getExpressionInfo(store.value) as binaryen.ConstInfo).value === POLLS
}

const isCall = (_: Ref, id: number) => id === binaryen.CallId || id === binaryen.CallIndirectId

/** One function, being metered. */
class Metered {
  readonly #module: binaryen.Module
  readonly #info: binaryen.FunctionInfo
  readonly #work: Work
  /** The local that keeps the result at the end, and one that counts units not yet charged. */
  readonly #kept: number
  readonly #units: number
  /** Of the interpreter alone. */
  readonly #runs: Runs | undefined
  /** Units of one round, by the label of the loop. */
  readonly #rounds = new Map<string, number>()
  /** Labels of loops in the interpreter that are not worth a check in each round: the next poll meets what they owe. */
  readonly #brief = new Set<string>()

  constructor(module: binaryen.Module, info: binaryen.FunctionInfo, work: Work, poll: string) {
    this.#module = module
    this.#info = info
    this.#work = work
    this.#kept = binaryen.expandType(info.params).length + info.vars.length
    this.#units = this.#kept + 1
    this.#runs = contains(info.body, isDispatch) ? new Runs(module, info.body, this.#units, poll) : undefined
    walk(info.body, (ref, id) => {
      if (id === binaryen.LoopId) this.#enlist(ref)
    })
  }

  #enlist(loop: Ref): void {
    const { name, body } = loopOf(loop)
    // Without a label it never goes round. That of the interpreter goes round once an opcode; its jumps and calls poll.
    if (!name || (this.#runs && contains(body, isDispatch))) return
    if (this.#rounds.has(name)) throw new Error(`two loops of one function have the label ${name}`)
    const units = this.#work.ofIteration(loop) / STEPS_PER_UNIT
    this.#rounds.set(name, Math.min(Math.max(1, Math.ceil(units)), ITERATION_UNITS_MAX))
    // Chains of properties with one hash, and the variables of a call: bounded by memory, a nanosecond a round.
    if (this.#runs && !contains(body, isCall)) this.#brief.add(name)
  }

  finish(growImport: string): void {
    const { vars, results, body } = this.#info
    this.#runs?.prepare()
    const rewritten = this.#rewrite(body, growImport)
    if (this.#rounds.size === 0) return replaceFunction(this.#module, this.#info, rewritten, vars)
    const keeps = results !== none
    replaceFunction(this.#module, this.#info, this.#ended(rewritten), [
      ...vars,
      keeps ? results : i32,
      ...(this.#runs?.locals ?? [i32]),
    ])
  }

  #counted = () => this.#module.local.get(this.#units, i32)

  #rewrite(expression: Ref, growImport: string): Ref {
    mapChildren(expression, (child) => this.#rewrite(child, growImport))
    const module = this.#module
    switch (binaryen.getExpressionId(expression)) {
      case binaryen.BreakId:
        return this.#goingRound(expression)
      case binaryen.SwitchId:
        return this.#switching(expression)
      case binaryen.ReturnId:
        return this.#rounds.size === 0 ? expression : this.#returning(expression)
      case binaryen.MemoryCopyId: {
        const { dest, source, size } = binaryen.getExpressionInfo(expression) as binaryen.MemoryCopyInfo
        return module.memory.copy(dest, source, module.call(BULK, [size], i32))
      }
      case binaryen.MemoryFillId: {
        const { dest, value, size } = binaryen.getExpressionInfo(expression) as binaryen.MemoryFillInfo
        return module.memory.fill(dest, value, module.call(BULK, [size], i32))
      }
      case binaryen.CallId: {
        const { target, operands } = callOf(expression)
        return target === growImport ? module.call(GROW, operands, i32) : expression
      }
      default:
        return expression
    }
  }

  /**
   * Code that counts `units`, and charges what has come together if it is much. The interpreter has no local for it: its
   * native frame is what a call of the guest takes of the stack.
   */
  #count(units: number, checks: boolean): Ref {
    const module = this.#module
    if (this.#runs) return checks ? module.call(CHARGE, [module.i32.const(units)], none) : owe(module, units)
    const counts = module.local.set(this.#units, module.i32.add(this.#counted(), module.i32.const(units)))
    const charges = module.block(null, [
      module.call(CHARGE, [this.#counted()], none),
      module.local.set(this.#units, module.i32.const(0)),
    ])
    return module.block(null, [
      counts,
      module.if(module.i32.ge_u(this.#counted(), module.i32.const(FLUSH_UNITS)), charges),
    ])
  }

  /** The first round is part of what called the function; each further one is counted where it begins. */
  #goingRound(expression: Ref): Ref {
    const { name, condition } = breakOf(expression)
    const units = this.#rounds.get(name)
    if (units === undefined) return expression
    const again = this.#module.block(null, [this.#count(units, !this.#brief.has(name)), this.#module.br(name)])
    return condition ? this.#module.if(condition, again) : again
  }

  #switching(expression: Ref): Ref {
    const { names, defaultName, condition } = switchOf(expression)
    const units = Math.max(...[...names, defaultName ?? ''].map((name) => this.#rounds.get(name) ?? 0))
    if (units === 0) return expression
    const counted = this.#module.block(null, [this.#count(units, true), condition], i32)
    return this.#module.switch(names, defaultName ?? '', counted)
  }

  #returning(expression: Ref): Ref {
    const { value } = binaryen.getExpressionInfo(expression) as binaryen.ReturnInfo
    return value
      ? this.#module.return(this.#ended(value))
      : this.#module.block(null, [this.#charges(), expression], binaryen.unreachable)
  }

  /** `last`, and then what has not been charged yet. */
  #ended(last: Ref): Ref {
    const module = this.#module
    const { results } = this.#info
    const type = binaryen.getExpressionType(last)
    if (type === binaryen.unreachable) return last
    if (results === none) return module.block(null, [last, this.#charges()], none)
    return module.block(
      null,
      [module.local.set(this.#kept, last), this.#charges(), module.local.get(this.#kept, results)],
      results,
    )
  }

  /** Exact, since what calls a function of few rounds may call it often. */
  #charges(): Ref {
    return this.#runs?.ended() ?? this.#module.if(this.#counted(), take(this.#module, this.#counted(), this.#units))
  }
}

export const meterLoops = (module: binaryen.Module): void => {
  const functions = ownFunctions(module)
  const poll = only(functions, storesPolls(CONTEXT_POLLS_OFFSET)).name
  const regexpPoll = only(functions, storesPolls(REGEXP_POLLS_OFFSET)).name
  const growImport = importedFunction(module, 'k')
  const work = new Work(module)
  const metered = functions
    .filter(({ name }) => name !== poll && name !== regexpPoll)
    .map((info) => new Metered(module, info, work, poll))
  for (const one of metered) one.finish(growImport)
  const byName = new Map(functions.map((info) => [info.name, info]))
  const polls = module.block(null, [take(module, module.i32.const(METER.unitsPerFuel), 0), module.i32.const(0)], i32)
  replaceFunction(module, byName.get(poll) as binaryen.FunctionInfo, polls, [])
  // Its loop is counted like any other.
  replaceFunction(module, byName.get(regexpPoll) as binaryen.FunctionInfo, module.i32.const(0), [])
  addFunctions(module, growImport)
}
