/**
 * Where charges go, and of how much. What always runs together is one region, paid for at its start: the entry of a
 * function, the head of a loop, an arm of an if, what follows a conditional branch. After a block the region from before
 * it goes on, unless a branch inside leads further out than the end of that block.
 */
import { FRAME } from '../../../sandbox/wasm/frame.ts'
import { OP } from '../../../sandbox/wasm/opcodes.ts'

export interface Region {
  /** Gas of all that runs once its first instruction does. */
  gas: number
}

/** A block that is open. */
interface Block {
  around: Region
  /** The regions that the arms of an if begin with. */
  arms: Region[]
  /** The outermost block that a branch in it leads to the end or the head of, by index. */
  reaches: number
}

export class Regions {
  current: Region = { gas: 0 }
  readonly #blocks: Block[] = []

  constructor() {
    this.#open(this.current)
  }

  /** Blocks that are open, the function itself among them. */
  get depth(): number {
    return this.#blocks.length
  }

  get done(): boolean {
    return this.depth === 0
  }

  /** Goes past an instruction with its branch targets. If a region begins after it, returns that. */
  step(opcode: number, targets: readonly number[]): Region | undefined {
    for (const target of targets) this.#branch(this.depth - 1 - target)
    if (opcode === OP.return) this.#branch(0)
    if (opcode === OP.block) this.#open(this.current)
    else if (opcode === OP.loop) return this.#open({ gas: FRAME.LOOP_GAS })
    else if (opcode === OP.if) return this.#open({ gas: 0 })
    else if (opcode === OP.else) return this.#else()
    else if (opcode === OP.end) return this.#close()
    else if (ENDS.has(opcode)) return this.#begin()
    return undefined
  }

  #begin(): Region {
    this.current = { gas: 0 }
    return this.current
  }

  #open(arm: Region): Region {
    this.#blocks.push({ around: this.current, arms: [arm], reaches: this.depth })
    this.current = arm
    return arm
  }

  #branch(index: number): void {
    const block = this.#blocks.at(-1)!
    block.reaches = Math.min(block.reaches, index)
  }

  #else(): Region {
    const arm = this.#begin()
    this.#blocks.at(-1)!.arms.push(arm)
    return arm
  }

  #close(): Region | undefined {
    const { around, arms, reaches } = this.#blocks.pop()!
    payForBoth(around, arms)
    this.current = around
    const outer = this.#blocks.at(-1)
    if (outer === undefined) return undefined
    outer.reaches = Math.min(outer.reaches, reaches)
    return reaches < this.depth ? this.#begin() : undefined
  }
}

const ENDS: ReadonlySet<number> = new Set([OP.br, OP.brIf, OP.brTable, OP.return, OP.unreachable])

/** One of two arms runs: what the cheaper costs is paid before. */
const payForBoth = (around: Region, [one, other]: Region[]) => {
  if (one === undefined || other === undefined) return
  const both = Math.min(one.gas, other.gas)
  around.gas += both
  one.gas -= both
  other.gas -= both
}
