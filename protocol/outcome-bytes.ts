/**
 * The bytes of an outcome, as its schema's encoder gives them. Apart from it, since a page's sandboxes write outcomes and read
 * no message: schemas, and what compiles them, stay out of what they load.
 */
import { BYTES, DEPTH_MAX, MAP, TRUE } from './cbor.ts'
import { type Writer, written } from './cbor-writer.ts'
import type { Outcome } from './outcome.ts'

const key = (name: keyof Outcome) => written((writer) => writer.text(name))

/** What always stands before a value, in the order of canonical keys: shorter ones first. */
const FUEL = written((writer) => {
  writer.head(MAP, 6)
  writer.text('v')
  writer.number(1)
  writer.text('fuel')
})
const [RESULT, CONSOLE, REQUESTS, MEMORY_BYTES] = [key('result'), key('console'), key('requests'), key('memory_bytes')]
const OK_VALUE = written((writer) => {
  writer.head(MAP, 2)
  writer.text('ok')
  writer.byte(TRUE)
  writer.text('value')
})

const writeResult = (writer: Writer, result: Outcome['result']): void => {
  if (!result.ok) return writer.item(result, DEPTH_MAX)
  writer.raw(OK_VALUE)
  writer.head(BYTES, result.value.length)
  writer.raw(result.value)
}

export const encodeOutcome = ({ fuel, result, console, requests, memory_bytes }: Outcome): Uint8Array =>
  written((writer) => {
    writer.raw(FUEL)
    writer.number(fuel)
    writer.raw(RESULT)
    writeResult(writer, result)
    writer.raw(CONSOLE)
    writer.item(console, DEPTH_MAX)
    writer.raw(REQUESTS)
    writer.item(requests, DEPTH_MAX)
    writer.raw(MEMORY_BYTES)
    writer.number(memory_bytes)
  })
