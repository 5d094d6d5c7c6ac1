/**
 * Counts gas another way: a metered module in which each instruction that runs adds its own price to a global of its
 * own. It knows nothing of regions. What it counts is what the charges must come to.
 */
import { entryGas, FRAME } from '../frame.ts'
import { Instructions, readLocals } from '../instruction.ts'
import { CANONICAL_GAS, OP } from '../opcodes.ts'
import { CANONICAL_F32, CANONICAL_F64, CHARGE, ENTER, type Filling, LEAVE, matches, SIZED } from '../patterns.ts'
import { Reader } from '../reader.ts'
import { KIND, type ModuleParts, readModule, SECTION } from '../sections.ts'
import { assembled, exported, natural, sized, u32 } from './modules.ts'

export const COUNT_EXPORT = 'count'

export const withReferenceCount = (metered: Uint8Array): Uint8Array => {
  const parts = readModule(metered)
  const counter = parts.globals.length
  const bodies = parts.bodies.map((body, index) => countedBody(body, parts, parts.functions[index]!, counter))
  const order = [1, 2, 3, 4, 5, 6, 7, 9, 12, 10, 11]
  const sections = order.flatMap((id) => {
    const section = parts.sections.get(id)
    if (section === undefined) return []
    const bytes = [...section.bytes.subarray(section.at, section.end)]
    if (id === SECTION.global) return [[id, ...sized(oneMore(bytes, [0x7e, 1, OP.i64Const, 0, OP.end]))]]
    if (id === SECTION.export) return [[id, ...sized(oneMore(bytes, exported(COUNT_EXPORT, KIND.global, counter)))]]
    return [[id, ...sized(id === SECTION.code ? [...u32(bodies.length), ...bodies.flatMap(sized)] : bytes)]]
  })
  return assembled(sections)
}

/** A list with one more item. */
const oneMore = (bytes: number[], item: number[]): number[] => {
  const reader = new Reader(Uint8Array.from(bytes))
  const count = reader.u32()
  return [...u32(count + 1), ...bytes.slice(reader.at), ...item]
}

const countedBody = (body: Reader, parts: ModuleParts, type: number, counter: number): number[] => {
  const reader = new Reader(body.bytes, body.at, body.end)
  const locals = readLocals(reader, parts.types[type]!.params.length)
  const gas = counter - 2
  const filling: Filling = { gas, stack: gas + 1, cost: 0, frame: 0, local: 0, segment: 0 }
  const out = [...reader.bytes.subarray(body.at, reader.at)]
  const add = (amount: number[]) =>
    out.push(OP.globalGet, ...u32(counter), ...amount, OP.i64Add, OP.globalSet, ...u32(counter))
  const count = (amount: number) => amount > 0 && add([OP.i64Const, ...natural(amount)])
  const copyFrom = (start: number) => out.push(...reader.bytes.subarray(start, reader.at))
  count(entryGas(locals.length))
  const code = new Instructions(reader, parts)
  while (!reader.done) {
    const start = reader.at
    if ([CHARGE, ENTER, LEAVE].some((pattern) => matches(reader, pattern, filling))) {
      copyFrom(start)
      continue
    }
    if (matches(reader, CANONICAL_F32, filling) || matches(reader, CANONICAL_F64, filling)) {
      count(CANONICAL_GAS)
      copyFrom(start)
      continue
    }
    const bySize = sizedGas(reader, filling)
    if (bySize !== undefined) {
      out.push(OP.localTee, ...u32(filling.local))
      add(bySize)
      copyFrom(start)
      continue
    }
    code.next()
    count(code.gas)
    copyFrom(start)
    if (code.opcode === OP.loop) count(FRAME.LOOP_GAS)
  }
  return out
}

/** Counts what moving or growing memory costs, of the size that is on the stack; undefined if it is not that that comes. */
const sizedGas = (reader: Reader, filling: Filling): number[] | undefined => {
  for (const [opcode, pattern] of SIZED) {
    if (!matches(reader, pattern, filling)) continue
    const [base, scale] =
      opcode === OP.memoryGrow ? [4096, [OP.i64Const, 14, OP.i64Shl]] : [64, [OP.i64Const, 3, OP.i64ShrU]]
    const size = [OP.localGet, ...u32(filling.local), OP.i64ExtendI32U, ...scale]
    return [...size, OP.i64Const, ...natural(base), OP.i64Add]
  }
  return undefined
}
