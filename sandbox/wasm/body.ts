/** Checks that nothing in a function body runs without having been paid for, in one walk over its bytes. */
import type { FunctionType } from './form.ts'
import { entryGas, FRAME, frameBytes, OperandStack } from './frame.ts'
import { Instructions, readLocals } from './instruction.ts'
import { NESTING_MAX } from './limits.ts'
import { CANONICAL_GAS, EXACT, INSTRUCTIONS, NEEDS_EXACT, OP } from './opcodes.ts'
import {
  CANONICAL_F32,
  CANONICAL_F64,
  CHARGE,
  ENTER,
  emptyFilling,
  type Filling,
  LEAVE,
  matches,
  type Pattern,
  SIZED,
} from './patterns.ts'
import type { Reader } from './reader.ts'
import { refuse } from './refusal.ts'
import type { ModuleParts } from './sections.ts'

export interface BodyContext {
  parts: ModuleParts
  /** Type indexes of all functions, the imported ones first. */
  functionTypes: readonly number[]
  /** Index of the global that holds gas; that of the stack is the next, and the last of all. */
  gas: number
}

/** What the check of a body found. */
export interface BodyFacts {
  /** Values in the frame times places where ways meet or part: what a simple compiler looks at. */
  compileWork: number
}

/** A block that is open. */
interface Label {
  opcode: number
  /** What had been paid and not been used when it was entered. A way back to the head of a loop must have as much. */
  entered: number
  /** The least that any way to its end has. */
  left: number
}

/** In code that nothing reaches nothing has to be paid. */
const UNREACHABLE = Number.POSITIVE_INFINITY

/** Throws Refusal unless the body of a function of type `type` is fully charged. */
export const checkBody = (reader: Reader, type: number, context: BodyContext): BodyFacts =>
  new Body(reader, type, context).check()

class Body {
  readonly #reader: Reader
  readonly #code: Instructions
  readonly #operands: OperandStack
  readonly #filling: Filling
  readonly #type: FunctionType
  readonly #locals: number
  readonly #gas: number
  readonly #labels: Label[] = []
  /** Gas that has been paid on every way here, and not been used. */
  #paid = 0
  /** Bytes that the entry takes from the stack; 0: none. */
  #frame = 0
  #calls = false
  /** Ends of ways: of blocks, of arms, of charges, targets of branches. */
  #forks = 1
  /** Did the last instruction put a float on the stack whose bits are the same on every host? */
  #exact = false

  constructor(reader: Reader, type: number, { parts, functionTypes, gas }: BodyContext) {
    this.#reader = reader
    this.#gas = gas
    this.#code = new Instructions(reader, parts)
    this.#operands = new OperandStack(functionTypes)
    this.#filling = emptyFilling(gas, parts.memories[0]?.maximum ?? 0)
    this.#type = parts.types[type]!
    this.#locals = readLocals(reader, this.#type.params.length).length
  }

  check(): BodyFacts {
    this.#enter()
    while (this.#labels.length > 0) {
      if (!this.#passPattern()) this.#passInstruction()
    }
    if (!this.#reader.done) refuse(`there are bytes after the end of the function at ${this.#reader.at}`)
    const bytes = frameBytes(this.#type, this.#locals, this.#operands.highest)
    if (this.#frame > 0 ? this.#frame < bytes : this.#calls || bytes > FRAME.LEAF_BYTES_MAX) {
      refuse(`the function that ends at ${this.#reader.end} takes ${this.#frame} bytes of stack, not ${bytes}`)
    }
    const values = this.#type.params.length + this.#locals + this.#operands.highest
    return { compileWork: values * this.#forks }
  }

  #enter(): void {
    const { at } = this.#reader
    this.#open(OP.block)
    if (this.#match(ENTER)) {
      this.#frame = this.#filling.frame
      if (this.#frame < 1) refuse(`the entry at ${at} takes no stack`)
      if (this.#reader.peek() !== OP.block) refuse(`no block follows the entry at ${at}`)
    } else if (!this.#match(CHARGE)) refuse(`the function at ${at} does not begin with a charge`)
    this.#pay()
    this.#use(entryGas(this.#locals))
  }

  #match(pattern: Pattern): boolean {
    const found = matches(this.#reader, pattern, this.#filling)
    if (found) this.#forks++
    return found
  }

  #pay(): void {
    if (this.#filling.cost < 1) refuse(`the charge before ${this.#reader.at} is of nothing`)
    this.#paid += this.#filling.cost
  }

  #use(gas: number): void {
    this.#paid -= gas
    if (this.#paid < 0) refuse(`what ends at ${this.#reader.at} is not paid for: ${-this.#paid} gas is missing`)
  }

  /** Charges, and what is charged by size or made exact, are patterns as a whole. */
  #passPattern(): boolean {
    const next = this.#reader.peek()
    if (next === OP.globalGet && this.#match(CHARGE)) this.#pay()
    else if (next !== OP.localTee || !(this.#passSized() || this.#passCanonical())) return false
    return true
  }

  #passSized(): boolean {
    for (const [opcode, pattern] of SIZED) {
      if (!this.#match(pattern)) continue
      const { pops, pushes } = INSTRUCTIONS.get(opcode)!
      this.#operands.move(pops, pushes)
      this.#exact = false
      return true
    }
    return false
  }

  #passCanonical(): boolean {
    if (!this.#match(CANONICAL_F32) && !this.#match(CANONICAL_F64)) return false
    this.#use(CANONICAL_GAS)
    this.#exact = true
    return true
  }

  #passInstruction(): void {
    const code = this.#code
    code.next()
    const { opcode } = code
    this.#use(code.gas)
    this.#operands.step(code)
    if (NEEDS_EXACT.has(opcode) && !this.#exact) refuse(`the bits of a NaN escape at ${code.at}`)
    this.#exact = EXACT.has(opcode)
    this.#follow(opcode)
  }

  #follow(opcode: number): void {
    switch (opcode) {
      case OP.block:
      case OP.loop:
      case OP.if:
        return this.#open(opcode)
      case OP.else:
        return this.#else()
      case OP.end:
        return this.#end()
      case OP.br:
      case OP.brIf:
        this.#branch(this.#code.first)
        if (opcode === OP.br) this.#paid = UNREACHABLE
        return
      case OP.brTable:
        for (const target of this.#code.targets) this.#branch(target)
        this.#paid = UNREACHABLE
        return
      case OP.return:
        this.#branch(this.#labels.length - 1)
        this.#paid = UNREACHABLE
        return
      case OP.unreachable:
        this.#paid = UNREACHABLE
        return
      case OP.call:
      case OP.callIndirect:
        this.#calls = true
        return
      case OP.globalGet:
      case OP.globalSet:
        if (this.#code.first >= this.#gas) refuse(`gas or stack is used outside a charge, at ${this.#code.at}`)
        return
      default:
        if (SIZED.has(opcode)) refuse(`memory is moved or grown without a charge at ${this.#code.at}`)
    }
  }

  #open(opcode: number): void {
    if (this.#labels.length > NESTING_MAX) refuse(`blocks are nested deeper than ${NESTING_MAX} at ${this.#code.at}`)
    this.#labels.push({ opcode, entered: this.#paid, left: UNREACHABLE })
    if (opcode !== OP.loop) return
    if (!this.#match(CHARGE)) refuse(`the loop at ${this.#code.at} does not begin with a charge`)
    this.#pay()
    this.#use(FRAME.LOOP_GAS)
  }

  #else(): void {
    const label = this.#labels.at(-1)
    if (label?.opcode !== OP.if) return refuse(`an else without an if at ${this.#code.at}`)
    label.opcode = OP.else
    label.left = Math.min(label.left, this.#paid)
    this.#paid = label.entered
  }

  #end(): void {
    this.#forks++
    const label = this.#labels.pop()!
    this.#paid = Math.min(this.#paid, label.left, label.opcode === OP.if ? label.entered : UNREACHABLE)
    if (this.#frame > 0 && this.#labels.length === 1) this.#leave()
  }

  /** Whatever way a function that took stack ends, it gives it back, and does nothing after that. */
  #leave(): void {
    const taken = this.#frame
    if (!this.#match(LEAVE) || this.#filling.frame !== taken || this.#reader.peek() !== OP.end) {
      refuse(`the function that ends at ${this.#reader.end} does not give back what it took from the stack`)
    }
  }

  #branch(depth: number): void {
    this.#forks++
    const index = this.#labels.length - 1 - depth
    const label = this.#labels[index]
    if (label === undefined) return refuse(`a branch out of the function at ${this.#code.at}`)
    if (index === 0 && this.#frame > 0) refuse(`a branch past the giving back of stack at ${this.#code.at}`)
    if (label.opcode === OP.loop) {
      if (this.#paid < label.entered) refuse(`a loop uses what was paid for after it, at ${this.#code.at}`)
    } else label.left = Math.min(label.left, this.#paid)
  }
}
