/** Everything that strangers send and protocol/ reads, each with what makes valid inputs for it. */
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { Delegation } from '../../protocol/delegation.ts'
import { decodeArguments, EFFECT_KINDS } from '../../protocol/effects.ts'
import type { Envelope } from '../../protocol/envelope.ts'
import { BlockFrame, PeerFrame } from '../../protocol/frames.ts'
import { HomeFrame } from '../../protocol/home-frames.ts'
import {
  Genesis,
  Membership,
  Revocation,
  SignedTicket,
  Ticket,
  ticketFromText,
  ticketToText,
} from '../../protocol/mesh.ts'
import { Outcome } from '../../protocol/outcome.ts'
import { Advertisement, Invocation, JournalHead, Manifest, Receipt, ReceiptFile, Task } from '../../protocol/records.ts'
import type { Message } from '../../protocol/schema.ts'
import { Tally, UsageFrame } from '../../protocol/tally.ts'
import { decodeValue, encodeValue, type Value } from '../../protocol/values.ts'
import { arbitraryOf, type Schema, schemaOf, values } from './arbitraries.ts'
import { argumentExamples } from './argument-examples.ts'

/** One message, or one type of frame. */
export interface MessageCase {
  /** As in `invocation`, `frame invoke`. */
  readonly name: string
  readonly message: Message<unknown>
  /** Of this type of frame alone. */
  readonly schema: Schema
}

const RECORDS = [
  Genesis,
  Membership,
  Ticket,
  Revocation,
  SignedTicket,
  Manifest,
  Task,
  Invocation,
  Receipt,
  JournalHead,
  Outcome,
  Advertisement,
  ReceiptFile,
  Delegation,
  Tally,
] as unknown as Message<unknown>[]

const framesOf = (message: Message<unknown>): MessageCase[] =>
  (schemaOf(message.schema).options as Schema[]).map((schema) => ({
    name: `${message.name} ${schema.entries?.t?.literal}`,
    message,
    schema,
  }))

export const MESSAGE_CASES: readonly MessageCase[] = [
  ...RECORDS.map((message) => ({ name: message.name, message, schema: schemaOf(message.schema) })),
  ...framesOf(PeerFrame as Message<unknown>),
  ...framesOf(BlockFrame as Message<unknown>),
  ...framesOf(HomeFrame as Message<unknown>),
  ...framesOf(UsageFrame as Message<unknown>),
]

/** Something that reads bytes of strangers. */
export interface Target {
  readonly name: string
  readonly valid: fc.Arbitrary<Uint8Array>
  /** True if the bytes are text and not CBOR. */
  readonly isText: boolean
  decode(bytes: Uint8Array): unknown
  encode(decoded: unknown): Uint8Array
  /** The codes of the MeshErrors with which it may refuse. */
  readonly refusals: readonly string[]
}

const MESSAGE_REFUSALS = ['E_MESSAGE', 'E_MESSAGE_LIMIT']

const targetOf = ({ name, message, schema }: MessageCase): Target => ({
  name,
  valid: arbitraryOf(schema).map((x) => message.encode(x)),
  isText: false,
  decode: (bytes) => message.decode(bytes),
  encode: (decoded) => message.encode(decoded),
  refusals: MESSAGE_REFUSALS,
})

const valueTarget: Target = {
  name: 'value',
  valid: values.map(encodeValue),
  isText: false,
  decode: decodeValue,
  encode: (decoded) => encodeValue(decoded as Value),
  refusals: MESSAGE_REFUSALS,
}

/** Accepts every signature, so that the fuzzer comes past the check. */
const credulous = {
  hash: (bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest()),
  verify: () => true,
}

const tickets = fc
  .tuple(arbitraryOf(schemaOf(Ticket.schema)), arbitraryOf(schemaOf(SignedTicket.schema)))
  .map(([ticket, signed]) => {
    const { inviter } = ticket as { inviter: string }
    return {
      ...(signed as Envelope),
      payload: Ticket.encode(ticket as never),
      signer: inviter,
      index: 0,
      size: 1,
      path: [],
    }
  })

const ticketTextTarget: Target = {
  name: 'ticket text',
  valid: tickets.map((signed) => new TextEncoder().encode(ticketToText(signed))),
  isText: true,
  decode: (bytes) => ticketFromText(credulous, Buffer.from(bytes).toString('latin1'), 0),
  encode: (decoded) => new TextEncoder().encode(ticketToText((decoded as { signed: Envelope }).signed)),
  refusals: ['E_TICKET', 'E_TICKET_EXPIRED'],
}

/** Those of `now` are one byte: of its changes none is any. */
const argumentTargets = EFFECT_KINDS.filter((kind) => kind !== 'now').map(
  (kind): Target => ({
    ...valueTarget,
    name: `arguments of ${kind}`,
    valid: fc.constantFrom(...argumentExamples[kind].map(encodeValue)),
    decode: (bytes) => decodeArguments(kind, bytes),
    refusals: [...MESSAGE_REFUSALS, 'E_USAGE'],
  }),
)

export const TARGETS: readonly Target[] = [
  ...MESSAGE_CASES.map(targetOf),
  ...argumentTargets,
  valueTarget,
  ticketTextTarget,
]
