/** How much of the host's stack a call takes at most, and what an entry costs: the same figures on every host. */
import type { FunctionType } from './form.ts'
import type { BlockShape, Instructions } from './instruction.ts'
import { OP } from './opcodes.ts'

/** Figures of the specification. */
export const FRAME = {
  /** Return address, saved registers, the instance, and what the charges themselves put on the stack. */
  BASE_BYTES: 96,
  SLOT_BYTES: 8,
  /** A function that calls none takes this much without saying so; the hosts' reserve covers one such frame. */
  LEAF_BYTES_MAX: 8192,
  ENTRY_GAS: 2,
  /** Locals that an entry sets to 0 for one gas. */
  LOCALS_A_GAS: 4,
  /** Of an iteration, part of the charge at a loop's head. */
  LOOP_GAS: 1,
} as const

/**
 * Bytes of stack that a call of a function takes. `highest`: the most values that are on its operand stack at once.
 * Parameters and results count twice, since hosts hand many over in memory and copy them.
 */
export const frameBytes = ({ params, results }: FunctionType, locals: number, highest: number): number =>
  FRAME.BASE_BYTES + FRAME.SLOT_BYTES * (2 * (params.length + results.length) + locals + highest)

/** Gas of a function's entry, part of its first charge: the locals that it declares are set to 0. */
export const entryGas = (locals: number): number => FRAME.ENTRY_GAS + Math.floor(locals / FRAME.LOCALS_A_GAS)

/**
 * How many values are on the operand stack, at most. In code that nothing reaches the figure may be too high, never
 * too low: there values may be taken that nobody put.
 */
export class OperandStack {
  readonly #functionTypes: readonly number[]
  /** Of the blocks that are open: values below theirs, and their shape. */
  readonly #floors: number[] = []
  readonly #shapes: BlockShape[] = []
  #height = 0
  highest = 0

  constructor(functionTypes: readonly number[]) {
    this.#functionTypes = functionTypes
  }

  /** Goes on by the instruction that `code` stands at. */
  step(code: Instructions): void {
    const { opcode } = code
    this.#move(code.pops, code.pushes)
    if (opcode === OP.block || opcode === OP.loop || opcode === OP.if) this.#open(code.shape)
    else if (opcode === OP.else) this.#height = (this.#floors.at(-1) ?? 0) + (this.#shapes.at(-1)?.params ?? 0)
    else if (opcode === OP.end) this.#move(0, 0, (this.#floors.pop() ?? 0) + (this.#shapes.pop()?.results ?? 0))
    else if (opcode === OP.call || opcode === OP.callIndirect) {
      const { params, results } = code.callType(this.#functionTypes)
      this.#move(params.length, results.length)
    }
  }

  /** Goes on by an instruction that takes and puts so many values. */
  move(pops: number, pushes: number): void {
    this.#move(pops, pushes)
  }

  #open(shape: BlockShape): void {
    this.#floors.push(Math.max(0, this.#height - shape.params))
    this.#shapes.push(shape)
  }

  #move(pops: number, pushes: number, from = this.#height): void {
    this.#height = Math.max(this.#floors.at(-1) ?? 0, from - pops) + pushes
    if (this.#height > this.highest) this.highest = this.#height
  }
}
