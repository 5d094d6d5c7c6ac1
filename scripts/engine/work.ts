/** How much work the engine's functions and loops are, read off their code. */
import binaryen from 'binaryen'
import { callOf, loopOf, ownFunctions, type Ref, switchOf, walk } from './expressions.ts'

/** These become no instruction, or one that costs next to nothing. */
export const FREE = new Set<number>([binaryen.LocalGetId, binaryen.ConstId, binaryen.BlockId, binaryen.NopId])
/** What a call costs beside what its target does. */
const CALL_STEPS = 4
/** What a call costs whose target is not known: a function of the host, or one from the table. */
const UNKNOWN_CALL_STEPS = 32
/** All paths of a function are added up, and one of them is run. So no target counts for more than this. */
const TARGET_STEPS_MAX = 128

export class Work {
  readonly #bodies: ReadonlyMap<string, Ref>
  readonly #targets = new Map<string, number>()

  constructor(module: binaryen.Module) {
    this.#bodies = new Map(ownFunctions(module).map(({ name, body }) => [name, body]))
  }

  /**
   * Steps of one round of a loop: its instructions, without those of loops in it, and those of the functions that it
   * calls. Of the arms of a `br_table` one in half of them is counted.
   */
  ofIteration(loop: Ref): number {
    return this.#steps(loopOf(loop).body)
  }

  #steps(expression: Ref): number {
    let steps = 0
    let arms = 2
    walk(expression, (ref, id) => {
      if (id === binaryen.LoopId) return false
      if (id === binaryen.CallId) steps += CALL_STEPS + this.#ofTarget(callOf(ref).target)
      else if (id === binaryen.CallIndirectId) steps += UNKNOWN_CALL_STEPS
      else if (!FREE.has(id)) steps++
      if (id === binaryen.SwitchId) arms = Math.max(arms, new Set(switchOf(ref).names).size)
      return true
    })
    return (2 * steps) / arms
  }

  #ofTarget(name: string): number {
    const known = this.#targets.get(name)
    if (known !== undefined) return known
    // One that calls itself counts once.
    this.#targets.set(name, 0)
    const body = this.#bodies.get(name)
    const steps = body === undefined ? UNKNOWN_CALL_STEPS : Math.min(this.#steps(body), TARGET_STEPS_MAX)
    this.#targets.set(name, steps)
    return steps
  }
}
