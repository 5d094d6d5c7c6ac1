/**
 * A metered module for a host that gives gas in slices: where the module would trap because its gas is used up, it calls the
 * host, which gives it more or throws. A host makes this form for itself, of a module that was checked; nobody sends one.
 * Instructions, gas and stack are the same, so outcomes are.
 */
import { Instructions, readLocals } from './instruction.ts'
import { NAME_BYTES_MAX } from './limits.ts'
import { OP } from './opcodes.ts'
import { emptyFilling, type Filling, GAS_CHECK, matches, STACK_CHECK } from './patterns.ts'
import { Reader } from './reader.ts'
import { KIND, type ModuleParts, readModule, SECTION } from './sections.ts'
import { Writer } from './writer.ts'

/** A table of one function, `() -> ()`, which the host puts there. No module can have an export with so long a name. */
export const PAUSE_EXPORT = 'wayside:pause'.padEnd(NAME_BYTES_MAX + 1, '.')

const FUNCTION_TYPE = [0x60, 0, 0]
const TABLE_OF_ONE = [0x70, 0, 1]

/** `code`: a module that the checker took. */
export const givingWay = (code: Uint8Array): Uint8Array<ArrayBuffer> => {
  const parts = readModule(code)
  const added = additions(parts)
  const out = new Writer()
  out.append(code.subarray(0, 8))
  const bodies = new Bodies(parts)
  for (const id of Object.values(SECTION)) {
    if (id === SECTION.code) bodies.writeHints(out)
    const content = id === SECTION.code ? bodies.section : parts.sections.get(id)
    const more = added.get(id)
    if (!content && !more) continue
    out.byte(id)
    out.sized(more ? withOneMore(content, more) : rest(content as Reader))
  }
  return out.bytes as Uint8Array<ArrayBuffer>
}

const rest = ({ bytes, at, end }: Reader): Uint8Array => bytes.subarray(at, end)

/** By section: the type, the function that is called in place of a trap, the table from which it calls the host. */
const additions = ({ types, tables }: ModuleParts): Map<number, Uint8Array> => {
  const table = tables.length
  const written = (write: (out: Writer) => void): Uint8Array => {
    const out = new Writer()
    write(out)
    return out.bytes
  }
  const pause = written((out) => {
    for (const byte of [0, OP.i32Const, 0, OP.callIndirect]) out.byte(byte)
    out.u32(types.length)
    out.u32(table)
    out.byte(OP.end)
  })
  return new Map([
    [SECTION.type, Uint8Array.from(FUNCTION_TYPE)],
    [SECTION.function, written((out) => out.u32(types.length))],
    [SECTION.table, Uint8Array.from(TABLE_OF_ONE)],
    [
      SECTION.export,
      written((out) => {
        out.name(PAUSE_EXPORT)
        out.byte(KIND.table)
        out.u32(table)
      }),
    ],
    [SECTION.code, written((out) => out.sized(pause))],
  ])
}

/** A section, whose content is a list, with one item more. */
const withOneMore = (content: Reader | undefined, item: Uint8Array): Uint8Array => {
  const before = content ? new Reader(content.bytes, content.at, content.end) : undefined
  const out = new Writer()
  out.u32((before?.u32() ?? 0) + 1)
  if (before) out.append(rest(before))
  out.append(item)
  return out.bytes
}

/** By the specification of code metadata: a branch that is seldom taken costs the ways past it nothing then. */
const HINTS = 'metadata.code.branch_hint'
const UNLIKELY = 0

/** The bodies, in which each check calls the function behind all others. */
class Bodies {
  readonly #parts: ModuleParts
  readonly #filling: Filling
  readonly #code = new Writer()
  readonly #hints = new Writer()
  #hinted = 0

  constructor(parts: ModuleParts) {
    this.#parts = parts
    this.#filling = emptyFilling(parts.globals.length - 2, 0)
    this.#code.u32(parts.bodies.length)
    for (const [index, body] of parts.bodies.entries()) this.#add(parts.imports.length + index, body)
  }

  /** The section of code. */
  get section(): Reader {
    return new Reader(this.#code.bytes)
  }

  writeHints(out: Writer): void {
    const content = new Writer()
    content.name(HINTS)
    content.u32(this.#hinted)
    content.append(this.#hints.bytes)
    out.byte(0)
    out.sized(content.bytes)
  }

  #add(index: number, body: Reader): void {
    const pause = this.#parts.imports.length + this.#parts.functions.length
    const out = new Writer()
    const branches: number[] = []
    let copied = body.at
    readLocals(body, 0)
    const code = new Instructions(body, this.#parts)
    while (!body.done) {
      if (!passCheck(body, this.#filling)) {
        code.next()
        continue
      }
      // What was passed ends with: if, its type, unreachable, end.
      out.append(body.bytes.subarray(copied, body.at - 2))
      branches.push(out.bytes.length - 2)
      out.byte(OP.call)
      out.u32(pause)
      copied = body.at - 1
    }
    out.append(body.bytes.subarray(copied, body.end))
    this.#code.sized(out.bytes)
    if (branches.length > 0) this.#hint(index, branches)
  }

  #hint(index: number, branches: readonly number[]): void {
    this.#hinted++
    this.#hints.u32(index)
    this.#hints.u32(branches.length)
    for (const at of branches) {
      this.#hints.u32(at)
      this.#hints.u32(1)
      this.#hints.byte(UNLIKELY)
    }
  }
}

/** A module that was checked reads its gas in the patterns alone. */
const passCheck = (body: Reader, filling: Filling): boolean =>
  body.peek() === OP.globalGet && (matches(body, GAS_CHECK, filling) || matches(body, STACK_CHECK, filling))
