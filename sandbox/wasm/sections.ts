/** The parts of a binary module, each read whole. What may be in a metered module is for validate.ts to say. */
import type { FunctionType, ValueType } from './form.ts'
import {
  EXPORTS_MAX,
  FUNCTIONS_MAX,
  GLOBALS_MAX,
  IMPORTS_MAX,
  NAME_BYTES_MAX,
  PARAMETERS_MAX,
  RESULTS_MAX,
  SEGMENTS_MAX,
  TYPES_MAX,
} from './limits.ts'
import { OP } from './opcodes.ts'
import { Reader } from './reader.ts'
import { refuse } from './refusal.ts'

/** Sections in the order in which they stand; 0 is a custom one. */
// biome-ignore format: a line
export const SECTION = { type: 1, import: 2, function: 3, table: 4, memory: 5, global: 6, export: 7, start: 8, element: 9, dataCount: 12, code: 10, data: 11 } as const
const ORDER: number[] = Object.values(SECTION)

/** What an import or an export is. */
export const KIND = { function: 0, table: 1, memory: 2, global: 3 } as const
const KIND_NAMES = ['function', 'table', 'memory', 'global']
export const kindName = (kind: number) => KIND_NAMES[kind] ?? `kind ${kind}`

export interface SizeLimits {
  minimum: number
  maximum: number | undefined
}

export interface ModuleParts {
  /** Bytes of each section that is there, without its ID and length. */
  sections: Map<number, Reader>
  types: FunctionType[]
  /** Functions. `type` is the index of one's type. */
  imports: { module: string; name: string; type: number }[]
  /** Type indexes of the functions that the module defines. */
  functions: number[]
  tables: SizeLimits[]
  memories: SizeLimits[]
  globals: { type: ValueType; mutable: boolean }[]
  exports: { name: string; kind: number; index: number }[]
  start: number | undefined
  dataCount: number | undefined
  segments: number
  bodies: Reader[]
}

export const VALUE_TYPE_BYTES = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c } as const
const VALUE_TYPES = new Map(Object.entries(VALUE_TYPE_BYTES).map(([type, byte]) => [byte as number, type as ValueType]))

export const valueType = (reader: Reader): ValueType =>
  VALUE_TYPES.get(reader.byte()) ?? refuse(`the type at ${reader.at - 1} is none of i32, i64, f32 and f64`)

/** Section by section, in the order that they must have; throws Refusal. */
export const readModule = (bytes: Uint8Array): ModuleParts => {
  const parts: ModuleParts = {
    ...{ sections: findSections(bytes), types: [], imports: [], functions: [], tables: [], memories: [] },
    ...{ globals: [], exports: [], start: undefined, dataCount: undefined, segments: 0, bodies: [] },
  }
  for (const [id, reader] of parts.sections) {
    const content = new Reader(reader.bytes, reader.at, reader.end)
    READ[id]!(content, parts)
    if (!content.done) refuse(`section ${id} has more bytes than content`)
  }
  if (parts.functions.length !== parts.bodies.length) {
    refuse(`${parts.functions.length} functions have ${parts.bodies.length} bodies`)
  }
  if (parts.dataCount !== undefined && parts.dataCount !== parts.segments) {
    refuse(`it has ${parts.segments} data segments, and says ${parts.dataCount}`)
  }
  return parts
}

const LEFT_OUT = new Map([
  [0, 'it has a custom section'],
  [13, 'it has exceptions'],
])

const findSections = (bytes: Uint8Array): Map<number, Reader> => {
  const reader = new Reader(bytes)
  for (const byte of [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]) {
    if (reader.byte() !== byte) refuse('the bytes are not a core WebAssembly module of version 1')
  }
  const sections = new Map<number, Reader>()
  let last = -1
  while (!reader.done) {
    const id = reader.byte()
    const place = ORDER.indexOf(id)
    if (place < 0) refuse(LEFT_OUT.get(id) ?? `section ${id} is not known`)
    if (place <= last) refuse(`section ${id} is there twice, or after one that it must precede`)
    last = place
    sections.set(id, reader.part(reader.u32()))
  }
  return sections
}

const list = (reader: Reader, what: string, most: number, read: (index: number) => void) => {
  const count = reader.count(what, most)
  for (let index = 0; index < count; index++) read(index)
}

const typeList = (reader: Reader, what: string, most: number): ValueType[] => {
  const types: ValueType[] = []
  list(reader, what, most, () => types.push(valueType(reader)))
  return types
}

const sizeLimits = (reader: Reader): SizeLimits => {
  const flags = reader.byte()
  if (flags > 1) refuse(`the limits at ${reader.at - 1} are of a shared or a 64-bit memory, or of no known kind`)
  const minimum = reader.u32()
  return { minimum, maximum: flags === 1 ? reader.u32() : undefined }
}

/** An initial value or an offset: one constant. */
const constant = (reader: Reader): void => {
  const opcode = reader.byte()
  if (opcode === OP.i32Const || opcode === OP.i64Const) reader.skipSigned()
  else if (opcode === OP.f32Const) reader.skip(4)
  else if (opcode === OP.f64Const) reader.skip(8)
  else refuse(`the initial value at ${reader.at - 1} is not one constant`)
  if (reader.byte() !== OP.end) refuse(`the initial value before ${reader.at} is not one constant`)
}

const readType = (reader: Reader, { types }: ModuleParts) =>
  list(reader, 'types', TYPES_MAX, () => {
    if (reader.byte() !== 0x60) refuse(`the type at ${reader.at - 1} is not that of a function`)
    const params = typeList(reader, 'parameters', PARAMETERS_MAX)
    types.push({ params, results: typeList(reader, 'results', RESULTS_MAX) })
  })

const typeIndex = (reader: Reader, { types }: ModuleParts): number => {
  const index = reader.u32()
  return index < types.length ? index : refuse(`there is no type ${index}`)
}

const readImport = (reader: Reader, parts: ModuleParts) =>
  list(reader, 'imports', IMPORTS_MAX, () => {
    const module = reader.name(NAME_BYTES_MAX)
    const name = reader.name(NAME_BYTES_MAX)
    const kind = reader.byte()
    if (kind !== KIND.function)
      refuse(`it imports the ${kindName(kind)} ${module}.${name}; only functions can be imported`)
    parts.imports.push({ module, name, type: typeIndex(reader, parts) })
  })

const readTable = (reader: Reader, { tables }: ModuleParts) =>
  list(reader, 'tables', 1, () => {
    if (reader.byte() !== 0x70) refuse('its table is not one of functions')
    tables.push(sizeLimits(reader))
  })

const readGlobal = (reader: Reader, { globals }: ModuleParts) =>
  list(reader, 'globals', GLOBALS_MAX, () => {
    const type = valueType(reader)
    const mutable = reader.byte()
    if (mutable > 1) refuse(`the global at ${reader.at - 1} is of no known kind`)
    globals.push({ type, mutable: mutable === 1 })
    constant(reader)
  })

const readElement = (reader: Reader) =>
  list(reader, 'element segments', SEGMENTS_MAX, () => {
    if (reader.u32() !== 0) refuse('an element segment is not an active one of functions')
    constant(reader)
    list(reader, 'entries', FUNCTIONS_MAX, () => reader.u32())
  })

const readData = (reader: Reader, parts: ModuleParts) => {
  list(reader, 'data segments', SEGMENTS_MAX, () => {
    const flags = reader.u32()
    if (flags > 1) refuse('a data segment names a memory')
    if (flags === 0) constant(reader)
    reader.skip(reader.u32())
    parts.segments++
  })
}

/** How each section's content is read, by its ID. */
const READ: Record<number, (reader: Reader, parts: ModuleParts) => void> = {
  [SECTION.type]: readType,
  [SECTION.import]: readImport,
  [SECTION.function]: (reader, parts) =>
    list(reader, 'functions', FUNCTIONS_MAX, () => parts.functions.push(typeIndex(reader, parts))),
  [SECTION.table]: readTable,
  [SECTION.memory]: (reader, { memories }) => list(reader, 'memories', 1, () => memories.push(sizeLimits(reader))),
  [SECTION.global]: readGlobal,
  [SECTION.export]: (reader, { exports }) =>
    list(reader, 'exports', EXPORTS_MAX, () =>
      exports.push({ name: reader.name(NAME_BYTES_MAX), kind: reader.byte(), index: reader.u32() }),
    ),
  [SECTION.start]: (reader, parts) => {
    parts.start = reader.u32()
  },
  [SECTION.element]: readElement,
  [SECTION.dataCount]: (reader, parts) => {
    parts.dataCount = reader.u32()
  },
  [SECTION.code]: (reader, { bodies }) =>
    list(reader, 'bodies', FUNCTIONS_MAX, () => bodies.push(reader.part(reader.u32()))),
  [SECTION.data]: readData,
}
