/** Reads the instructions of a function body one by one. The pass and the checker read with the same eyes. */
import type { FunctionType, ValueType } from './form.ts'
import { LOCALS_MAX, TARGETS_MAX } from './limits.ts'
import { featureLeftOut, IMMEDIATE, INSTRUCTIONS, OP } from './opcodes.ts'
import type { Reader } from './reader.ts'
import { refuse } from './refusal.ts'
import { type ModuleParts, valueType } from './sections.ts'

const EMPTY_TYPE = 0x40
/** Opcodes of two parts begin with one of these. */
const PREFIXES_FROM = 0xfb
const VALUE_TYPES_FROM = 0x70
/** An alignment as a power of two; beyond 16 bytes the number means something else. */
const ALIGNMENT_MAX = 4

/** The locals that a body declares. They are bounded together with `parameters`. */
export const readLocals = (reader: Reader, parameters: number): ValueType[] => {
  const locals: ValueType[] = []
  const groups = reader.count('groups of locals', LOCALS_MAX)
  for (let group = 0; group < groups; group++) {
    const count = reader.u32()
    if (parameters + locals.length + count > LOCALS_MAX) refuse(`it has more than ${LOCALS_MAX} locals`)
    const type = valueType(reader)
    for (let local = 0; local < count; local++) locals.push(type)
  }
  return locals
}

/** How many values a block takes and leaves. */
export interface BlockShape {
  params: number
  results: number
}

/** One instruction at a time, in fields that `next` overwrites. */
export class Instructions {
  readonly reader: Reader
  readonly #types: readonly FunctionType[]
  opcode = 0
  /** Where it starts. */
  at = 0
  gas = 0
  pops = 0
  pushes = 0
  /** The first number that follows it; the second. */
  first = 0
  second = 0
  shape: BlockShape = { params: 0, results: 0 }
  /** Of a `br_table`, the default one last. */
  targets: number[] = []

  constructor(reader: Reader, { types }: ModuleParts) {
    this.reader = reader
    this.#types = types
  }

  next(): void {
    const { reader } = this
    this.at = reader.at
    let opcode = reader.byte()
    if (opcode >= PREFIXES_FROM) opcode = opcode * 256 + Math.min(reader.u32(), 255)
    const known = INSTRUCTIONS.get(opcode)
    if (known === undefined) {
      return refuse(`the instruction 0x${opcode.toString(16)} at ${this.at} is not allowed: ${featureLeftOut(opcode)}`)
    }
    this.opcode = opcode
    this.gas = known.gas
    this.pops = known.pops
    this.pushes = known.pushes
    this.#readImmediate(known.immediate)
  }

  #readImmediate(immediate: number): void {
    const { reader } = this
    if (immediate === IMMEDIATE.none) return
    if (immediate === IMMEDIATE.index) this.first = reader.u32()
    else if (immediate === IMMEDIATE.signed) reader.skipSigned()
    else if (immediate === IMMEDIATE.access) this.#readAccess()
    else if (immediate === IMMEDIATE.blockType) this.#readBlockType()
    else if (immediate === IMMEDIATE.targets) this.#readTargets()
    else if (immediate === IMMEDIATE.bytes4) reader.skip(4)
    else if (immediate === IMMEDIATE.bytes8) reader.skip(8)
    else {
      this.first = reader.u32()
      this.second = reader.u32()
    }
  }

  #readAccess(): void {
    if (this.reader.u32() > ALIGNMENT_MAX) refuse(`the access to memory at ${this.at} is of no known kind`)
    this.reader.u32()
  }

  #readBlockType(): void {
    const byte = this.reader.peek()
    if (byte === EMPTY_TYPE) {
      this.reader.byte()
      this.shape = { params: 0, results: 0 }
    } else if (byte >= VALUE_TYPES_FROM && byte < 0x80) {
      valueType(this.reader)
      this.shape = { params: 0, results: 1 }
    } else {
      const { params, results } = this.#type(this.reader.natural())
      this.shape = { params: params.length, results: results.length }
    }
  }

  #type(index: number): FunctionType {
    return this.#types[index] ?? refuse(`there is no type ${index}, which stands at ${this.at}`)
  }

  #readTargets(): void {
    const count = this.reader.count('targets', TARGETS_MAX)
    const targets: number[] = []
    for (let target = 0; target <= count; target++) targets.push(this.reader.u32())
    this.targets = targets
  }

  /** What a call takes and leaves; `functionTypes`: of all functions, the imported ones first. */
  callType(functionTypes: readonly number[]): FunctionType {
    if (this.opcode === OP.callIndirect) return this.#type(this.first)
    const type = functionTypes[this.first]
    return type === undefined ? refuse(`there is no function ${this.first}, called at ${this.at}`) : this.#type(type)
  }
}
