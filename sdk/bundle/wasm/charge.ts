/** Puts the charges of the metered form into a function body. */

import type { ValueType } from '../../../sandbox/wasm/form.ts'
import { entryGas, FRAME, frameBytes, OperandStack } from '../../../sandbox/wasm/frame.ts'
import { Instructions, readLocals } from '../../../sandbox/wasm/instruction.ts'
import { CANONICAL_GAS, EXACT, NEEDS_EXACT, OP } from '../../../sandbox/wasm/opcodes.ts'
import {
  CANONICAL_F32,
  CANONICAL_F64,
  CHARGE,
  ENTER,
  emptyFilling,
  type Filling,
  isSigned,
  LEAVE,
  type Pattern,
  SIZED,
} from '../../../sandbox/wasm/patterns.ts'
import type { Reader } from '../../../sandbox/wasm/reader.ts'
import { type ModuleParts, VALUE_TYPE_BYTES } from '../../../sandbox/wasm/sections.ts'
import { Writer } from '../../../sandbox/wasm/writer.ts'
import { type Region, Regions } from './regions.ts'

export interface ChargeContext {
  parts: ModuleParts
  functionTypes: readonly number[]
  /** Index of the global that holds gas; that of the stack is the next. */
  gas: number
  /** The memory's maximum; 0 without a memory. */
  memoryPages: number
  /** The block type without parameters and with the results of a function of type `type`, in bytes. */
  resultsBlock: (type: number) => Uint8Array
}

/** The new body of the function of type `type` in `reader`, without its length. */
export const chargeBody = (reader: Reader, type: number, context: ChargeContext): Uint8Array =>
  new Charging(reader, type, context).write()

/** The locals that patterns use. */
const SCRATCH = { size: 'i32', grown: 'i32', single: 'f32', double: 'f64' } as const
type Scratch = keyof typeof SCRATCH

/** What the new body is made of, in order: bytes of the old one, patterns, and the charges of regions. */
type Piece = Uint8Array | { pattern: Pattern; filling: Partial<Filling> } | Region

class Charging {
  readonly #reader: Reader
  readonly #type: number
  readonly #context: ChargeContext
  readonly #code: Instructions
  readonly #operands: OperandStack
  readonly #regions = new Regions()
  readonly #entry = this.#regions.current
  readonly #pieces: Piece[] = []
  readonly #parameters: number
  readonly #locals: ValueType[]
  readonly #scratch = new Map<Scratch, number>()
  #calls = false
  #exact = false
  /** Where the bytes begin that are in no piece yet. */
  #from: number

  constructor(reader: Reader, type: number, context: ChargeContext) {
    this.#reader = reader
    this.#type = type
    this.#context = context
    this.#code = new Instructions(reader, context.parts)
    this.#operands = new OperandStack(context.functionTypes)
    this.#parameters = context.parts.types[type]!.params.length
    this.#locals = readLocals(reader, this.#parameters)
    this.#from = reader.at
  }

  write(): Uint8Array {
    while (!this.#regions.done) this.#step()
    this.#cut(this.#code.at)
    this.#entry.gas += entryGas(this.#locals.length)
    const type = this.#context.parts.types[this.#type]!
    const frame = frameBytes(type, this.#locals.length, this.#operands.highest)
    const out = new Writer()
    this.#writeLocals(out)
    if (this.#calls || frame > FRAME.LEAF_BYTES_MAX) this.#writeEntered(out, frame)
    else {
      this.#fill(out, CHARGE, { cost: this.#entry.gas })
      this.#writePieces(out)
    }
    out.byte(OP.end)
    return out.bytes
  }

  #step(): void {
    const code = this.#code
    const depth = this.#regions.depth
    code.next()
    const { opcode } = code
    const sized = SIZED.get(opcode)
    if (opcode === OP.return) this.#replace({ pattern: [OP.br, 'local'], filling: { local: depth - 1 } })
    else if (sized !== undefined) {
      const local = this.#scratchLocal('size')
      const second = opcode === OP.memoryGrow ? this.#scratchLocal('grown') : local
      this.#replace({ pattern: sized, filling: { local, second, segment: code.first } })
    } else if (NEEDS_EXACT.has(opcode) && !this.#exact) this.#makeCanonical(opcode)
    this.#exact = EXACT.has(opcode)
    this.#calls ||= opcode === OP.call || opcode === OP.callIndirect
    this.#operands.step(code)
    this.#regions.current.gas += code.gas
    const region = this.#regions.step(opcode, targetsOf(code))
    if (region === undefined) return
    this.#cut(this.#reader.at)
    this.#pieces.push(region)
  }

  #makeCanonical(opcode: number): void {
    this.#cut(this.#code.at)
    const single = SINGLE.has(opcode)
    const filling = { local: this.#scratchLocal(single ? 'single' : 'double') }
    this.#pieces.push({ pattern: single ? CANONICAL_F32 : CANONICAL_F64, filling })
    this.#regions.current.gas += CANONICAL_GAS
  }

  #scratchLocal(use: Scratch): number {
    const local = this.#scratch.get(use) ?? this.#parameters + this.#locals.length
    if (!this.#scratch.has(use)) this.#locals.push(SCRATCH[use])
    this.#scratch.set(use, local)
    return local
  }

  /** Ends a piece of the old bytes at `at`. */
  #cut(at: number): void {
    if (at > this.#from) this.#pieces.push(this.#reader.bytes.subarray(this.#from, at))
    this.#from = at
  }

  /** Puts `piece` in the place of the instruction that was just read. */
  #replace(piece: Piece): void {
    this.#cut(this.#code.at)
    this.#pieces.push(piece)
    this.#from = this.#reader.at
  }

  #fill(out: Writer, pattern: Pattern, filling: Partial<Filling>): void {
    const { gas, memoryPages } = this.#context
    fill(out, pattern, { ...emptyFilling(gas, memoryPages), ...filling })
  }

  #writePieces(out: Writer): void {
    for (const piece of this.#pieces) {
      if (piece instanceof Uint8Array) out.append(piece)
      else if ('pattern' in piece) this.#fill(out, piece.pattern, piece.filling)
      else if (piece.gas > 0) this.#fill(out, CHARGE, { cost: piece.gas })
    }
  }

  /** The entry takes the frame from the stack. All of the body is one block, at the end of which it is given back. */
  #writeEntered(out: Writer, frame: number): void {
    this.#fill(out, ENTER, { cost: this.#entry.gas, frame })
    out.byte(OP.block)
    out.append(this.#context.resultsBlock(this.#type))
    this.#writePieces(out)
    out.byte(OP.end)
    this.#fill(out, LEAVE, { frame })
  }

  #writeLocals(out: Writer): void {
    const groups: { type: ValueType; count: number }[] = []
    for (const type of this.#locals) {
      const last = groups.at(-1)
      if (last?.type === type) last.count++
      else groups.push({ type, count: 1 })
    }
    out.u32(groups.length)
    for (const { type, count } of groups) {
      out.u32(count)
      out.byte(VALUE_TYPE_BYTES[type])
    }
  }
}

const SINGLE: ReadonlySet<number> = new Set([OP.f32Store, OP.i32ReinterpretF32, OP.f32Copysign])

const targetsOf = ({ opcode, first, targets }: Instructions): readonly number[] => {
  if (opcode === OP.brTable) return targets
  return opcode === OP.br || opcode === OP.brIf ? [first] : []
}

export const fill = (out: Writer, pattern: Pattern, filling: Filling) => {
  for (const part of pattern) {
    if (typeof part === 'number') out.byte(part)
    else if (isSigned(part)) out.natural(filling[part])
    else out.u32(filling[part])
  }
}
