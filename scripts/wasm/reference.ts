/**
 * Counts gas another way: a metered module in which each instruction that runs adds its own price to a global of its
 * own. It knows nothing of regions. What it counts is what the charges must come to.
 */
import { entryGas, FRAME } from '../../sandbox/wasm/frame.ts'
import { CANONICAL_GAS, OP } from '../../sandbox/wasm/opcodes.ts'
import { CANONICAL_F32, CANONICAL_F64, SIZED } from '../../sandbox/wasm/patterns.ts'
import { Reader } from '../../sandbox/wasm/reader.ts'
import { KIND, type ModuleParts, readModule, SECTION } from '../../sandbox/wasm/sections.ts'
import { exported, natural, sized, u32 } from './modules.ts'
import { type Piece, piecesOf, withSections } from './pieces.ts'

export const COUNT_EXPORT = 'reference:count'

export const withReferenceCount = (metered: Uint8Array): Uint8Array => {
  const parts = readModule(metered)
  const counter = parts.globals.length
  const bodies = parts.bodies.map((body, index) => sized(countedBody(body, parts, parts.functions[index]!, counter)))
  return withSections(parts, {
    [SECTION.global]: oneMore(parts, SECTION.global, [0x7e, 1, OP.i64Const, 0, OP.end]),
    [SECTION.export]: oneMore(parts, SECTION.export, exported(COUNT_EXPORT, KIND.global, counter)),
    [SECTION.code]: [...u32(bodies.length), ...bodies.flat()],
  })
}

/** The list that is the content of a section with one more item. */
const oneMore = (parts: ModuleParts, section: number, item: number[]): number[] => {
  const { bytes, at, end } = parts.sections.get(section)!
  const reader = new Reader(bytes, at, end)
  const count = reader.u32()
  return [...u32(count + 1), ...bytes.subarray(reader.at, end), ...item]
}

const countedBody = (body: Reader, parts: ModuleParts, type: number, counter: number): number[] => {
  const { declared, locals, pieces } = piecesOf(body, parts, type, counter - 2)
  const add = (amount: number[]) => [OP.globalGet, ...u32(counter), ...amount, OP.i64Add, OP.globalSet, ...u32(counter)]
  const count = (amount: number) => (amount > 0 ? add([OP.i64Const, ...natural(amount)]) : [])
  const counted = pieces.flatMap((piece) => {
    if (piece.opcode === OP.loop) return [...piece.bytes, ...count(FRAME.LOOP_GAS)]
    const canonical = piece.pattern === CANONICAL_F32 || piece.pattern === CANONICAL_F64
    return [...count(canonical ? CANONICAL_GAS : piece.gas), ...bySize(piece, add), ...piece.bytes]
  })
  return [...declared, ...count(entryGas(locals)), ...counted]
}

/** What moving or growing memory costs, by the size that is on the stack, which a local is given first. */
const bySize = ({ pattern, filling }: Piece, add: (amount: number[]) => number[]): number[] => {
  const opcode = [...SIZED].find(([, one]) => one === pattern)?.[0]
  if (opcode === undefined) return []
  const [base, scale] =
    opcode === OP.memoryGrow ? [4096, [OP.i64Const, 20, OP.i64Shl]] : [512, [OP.i64Const, 0, OP.i64Shl]]
  const local = u32(filling.local)
  return [
    ...[OP.localTee, ...local],
    ...add([OP.localGet, ...local, OP.i64ExtendI32U, ...scale, OP.i64Const, ...natural(base), OP.i64Add]),
  ]
}
