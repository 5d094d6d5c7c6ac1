/** A plain module with charges in every function, and around them what the metered form asks for. */
import { GAS_EXPORT, MEMORY_EXPORT, STACK_EXPORT, START_EXPORT, type ValueType } from '../../../sandbox/wasm/form.ts'
import { OP } from '../../../sandbox/wasm/opcodes.ts'
import { Reader } from '../../../sandbox/wasm/reader.ts'
import { refuse } from '../../../sandbox/wasm/refusal.ts'
import {
  KIND,
  type ModuleParts,
  readModule,
  SECTION,
  type SizeLimits,
  VALUE_TYPE_BYTES,
} from '../../../sandbox/wasm/sections.ts'
import { Writer } from '../../../sandbox/wasm/writer.ts'
import { type ChargeContext, chargeBody } from './charge.ts'

const MAGIC = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]
const FUNCTION_TYPE = 0x60
const EMPTY_TYPE = 0x40

/** Throws Refusal for what the metered form does not have. Its memory may grow to `memoryPagesMax`, or less if it says so. */
export const chargeModule = (plain: Uint8Array, memoryPagesMax: number): Uint8Array => {
  const parts = readModule(plain)
  const memories = parts.memories.map((memory) => bounded(memory, memoryPagesMax))
  const blocks = new ResultBlocks(parts)
  const context: ChargeContext = {
    parts,
    functionTypes: [...parts.imports.map(({ type }) => type), ...parts.functions],
    gas: parts.globals.length,
    memoryPages: memories[0]?.maximum ?? 0,
    resultsBlock: (type) => blocks.of(type),
  }
  const bodies = parts.bodies.map((body, index) =>
    chargeBody(new Reader(body.bytes, body.at, body.end), parts.functions[index]!, context),
  )
  const contents = new Map<number, Uint8Array>(
    [...parts.sections].map(([id, { bytes, at, end }]) => [id, bytes.subarray(at, end)]),
  )
  contents.delete(SECTION.start)
  contents.set(SECTION.type, listOf(blocks.all, writeType))
  contents.set(SECTION.global, globals(parts))
  contents.set(SECTION.export, listOf(exportsOf(parts), writeExport))
  if (memories.length > 0) contents.set(SECTION.memory, listOf(memories, writeMemory))
  contents.set(
    SECTION.code,
    listOf(bodies, (out, body) => out.sized(body)),
  )
  return assemble(contents)
}

const assemble = (contents: Map<number, Uint8Array>): Uint8Array => {
  const out = new Writer()
  for (const byte of MAGIC) out.byte(byte)
  for (const id of Object.values(SECTION)) {
    const content = contents.get(id)
    if (content === undefined) continue
    out.byte(id)
    out.sized(content)
  }
  return out.bytes.slice()
}

const listOf = <T>(items: readonly T[], write: (out: Writer, item: T) => void): Uint8Array => {
  const out = new Writer()
  out.u32(items.length)
  for (const item of items) write(out, item)
  return out.bytes
}

interface Signature {
  params: readonly ValueType[]
  results: readonly ValueType[]
}

/** The types of the module, and those that blocks around whole functions need besides: no parameters, several results. */
class ResultBlocks {
  readonly all: Signature[]
  readonly #types: ModuleParts['types']

  constructor({ types }: ModuleParts) {
    this.#types = types
    this.all = [...types]
  }

  of(type: number): Uint8Array {
    const { results } = this.#types[type]!
    const [only, ...more] = results
    if (only === undefined) return Uint8Array.of(EMPTY_TYPE)
    if (more.length === 0) return Uint8Array.of(VALUE_TYPE_BYTES[only])
    const found = this.all.findIndex((one) => one.params.length === 0 && one.results.join() === results.join())
    const index = found < 0 ? this.all.push({ params: [], results }) - 1 : found
    const out = new Writer()
    out.natural(index)
    return out.bytes
  }
}

const writeTypes = (out: Writer, types: readonly ValueType[]) => {
  out.u32(types.length)
  for (const type of types) out.byte(VALUE_TYPE_BYTES[type])
}

const writeType = (out: Writer, { params, results }: Signature) => {
  out.byte(FUNCTION_TYPE)
  writeTypes(out, params)
  writeTypes(out, results)
}

/** Those of the module, then gas and stack: at 0, so that nothing runs before the host has set them. */
const globals = ({ sections, globals: { length } }: ModuleParts): Uint8Array => {
  const out = new Writer()
  out.u32(length + 2)
  const old = sections.get(SECTION.global)
  if (old !== undefined) {
    const reader = new Reader(old.bytes, old.at, old.end)
    reader.u32()
    out.append(old.bytes.subarray(reader.at, old.end))
  }
  for (let reserved = 0; reserved < 2; reserved++) {
    for (const byte of [VALUE_TYPE_BYTES.i64, 1, OP.i64Const, 0, OP.end]) out.byte(byte)
  }
  return out.bytes
}

type Export = ModuleParts['exports'][number]

/** Functions and the memory; tables and globals, which some compilers export, nobody outside needs. */
const exportsOf = ({ exports, globals: { length }, memories, start }: ModuleParts): Export[] => {
  const kept = exports.filter(({ kind }) => kind === KIND.function)
  for (const { name } of kept) {
    if ([GAS_EXPORT, STACK_EXPORT, START_EXPORT, MEMORY_EXPORT].includes(name)) {
      refuse(`it exports a function as "${name}", which is reserved; give it another name`)
    }
  }
  if (start !== undefined) kept.push({ name: START_EXPORT, kind: KIND.function, index: start })
  if (memories.length > 0) kept.push({ name: MEMORY_EXPORT, kind: KIND.memory, index: 0 })
  kept.push({ name: GAS_EXPORT, kind: KIND.global, index: length })
  kept.push({ name: STACK_EXPORT, kind: KIND.global, index: length + 1 })
  return kept
}

const writeExport = (out: Writer, { name, kind, index }: Export) => {
  out.name(name)
  out.byte(kind)
  out.u32(index)
}

/** With the maximum that it says, or that it may have. */
const bounded = ({ minimum, maximum = Number.POSITIVE_INFINITY }: SizeLimits, pagesMax: number) => ({
  minimum,
  maximum: Math.max(minimum, Math.min(maximum, pagesMax)),
})

const writeMemory = (out: Writer, { minimum, maximum }: ReturnType<typeof bounded>) => {
  out.byte(1)
  out.u32(minimum)
  out.u32(maximum)
}
