/** What travels on the two channels of a pair of peers. Frames are records with a type `t`. */
import * as v from 'valibot'
import { Delegation } from './delegation.ts'
import { EFFECT_KINDS } from './effects.ts'
import { envelope, signedBatch } from './envelope.ts'
import { ERRORS, type ErrorCode } from './errors.ts'
import { answer, guess, journalEntry } from './journal.ts'
import {
  ATTEMPTS_MAX,
  BATCH_ITEMS_MAX,
  BLOCK_BYTES_MAX,
  BLOCK_CHUNK_BYTES,
  CELL_CHARS_MAX,
  FOUND_ADDRESSES_MAX,
  FOUND_MAX,
  FRAME_BYTES_MAX,
  FUEL_MAX,
  GUESSES_MAX,
  HOLD_MS_MAX,
  INPUT_BYTES_MAX,
  NEIGHBOURS_MAX,
  OUTPUT_BYTES_MAX,
  REQUESTS_MAX,
  REVOCATIONS_FRAME_MAX,
  TIMEOUT_MS_MAX,
} from './limits.ts'
import { credential, Genesis, membershipChain, Revocation } from './mesh.ts'
import { Outcome } from './outcome.ts'
import {
  Advertisement,
  checkpoint,
  coordinate,
  Invocation,
  JournalHead,
  offeredLoad,
  Receipt,
  taskTemplate,
} from './records.ts'
import { address, bytes, cid, integer, list, message, name, optional, peerId, text } from './schema.ts'

/** One long-lived channel a pair: handshake, advertisements, calls. */
export const PEER_PROTOCOL = '/wayside/1/peer'
/** Bulk bytes, so that they never stand before a call. */
export const BLOCKS_PROTOCOL = '/wayside/1/blocks'

const errorCode = () => v.picklist(Object.keys(ERRORS) as ErrorCode[])

/** Names an item between its invoker and its executor; chosen by the invoker, unique on the channel. */
const id = () => integer(0)
const ids = () => list(id(), BATCH_ITEMS_MAX, 1)

const of = <const T extends string, S extends v.ObjectEntries>(t: T, entries: S) =>
  v.strictObject({ t: v.literal(t), ...entries }) as v.StrictObjectSchema<
    { t: v.LiteralSchema<T, undefined> } & S,
    undefined
  >

/**
 * What a peer may be sent besides, by the names in its `hello`: the delegation of whom an invoker acts for, and look-ups that
 * ask only whom it knows.
 */
export const FEATURES = ['delegations', 'acquaintances'] as const
export type Feature = (typeof FEATURES)[number]

/** First frame of each side. Unknown `features` are ignored: they are how version 1 grows. */
const hello = of('hello', {
  protocols: list(integer(1, 1000), 8, 1),
  features: list(name(), 64),
  agent: text(128),
  genesis: bytes(Genesis.bytesMax),
  credential: credential(),
})
/** The hello was accepted. `chain` is the membership just issued for a ticket, else empty. */
const welcome = of('welcome', { chain: membershipChain() })
/** Last frame before closing, with the reason. */
const bye = of('bye', { code: errorCode(), message: text() })
const ping = of('ping', { id: id() })
/** At once, with where the sender stands: whoever measured the way can move its own coordinate. */
const pong = of('pong', { id: id(), coordinate: coordinate() })
/** The sender's own advertisement, sent after the handshake and before the last one expires. */
const advertise = of('advertise', { signed: envelope(Advertisement.bytesMax) })
/** What has changed in it meanwhile, when that is news. */
const load = of('load', offeredLoad())
/** Advertisements of others that the sender holds, once after the handshake. */
const peers = of('peers', { signed: list(envelope(Advertisement.bytesMax), NEIGHBOURS_MAX) })
/**
 * Asks for peers that offer `capability` (an engine ID) in a cell of the coordinate space; '': anywhere. `known`: only for
 * neighbours of the receiver, wherever they are, which it tells of at once; only to those that have the feature.
 */
const lookup = of('lookup', {
  id: id(),
  capability: name(),
  cell: text(CELL_CHARS_MAX),
  known: optional(v.literal(true)),
})
/** The answer, of which nothing is proven; and how long to wait before another look-up is answered. */
const found = of('found', {
  id: id(),
  peers: list(v.strictObject({ peer: peerId(), addresses: list(address(), FOUND_ADDRESSES_MAX, 1) }), FOUND_MAX),
  wait_ms: integer(0, 600_000),
})
/** Asks to tell `peer`, a neighbour of the receiver, of the sender, who cannot reach it. */
const reach = of('reach', { peer: peerId() })
/** Tells of one who asked so, by its advertisement: it can perhaps be reached from here. */
const sought = of('sought', { signed: envelope(Advertisement.bytesMax) })
/** Who was put out of the mesh: all that the sender holds, after the handshake; then what is new, once. */
const revocations = of('revocations', { signed: list(envelope(Revocation.bytesMax), REVOCATIONS_FRAME_MAX, 1) })
/** A wrong receipt of a public invocation. `file` is the raw CID of the encoded receipt file that proves it. */
const proof = of('proof', {
  receipt: envelope(Receipt.bytesMax),
  invocation: envelope(Invocation.bytesMax),
  file: cid(),
})
/** Two heads that their home has signed for one journal: they convict it alone. */
const contradiction = of('contradiction', { heads: list(envelope(JournalHead.bytesMax), 2, 2) })
/**
 * Items of one function, export and environment. `signed` holds their invocations in the same order. `delegation`: of whom
 * the sender acts for; only to those that have the feature.
 */
const invocations = () => ({
  task: taskTemplate(),
  timeout_ms: integer(1, TIMEOUT_MS_MAX),
  items: list(
    v.strictObject({
      id: id(),
      attempt: integer(1, ATTEMPTS_MAX),
      epoch: integer(0, 1_000_000),
      input: bytes(INPUT_BYTES_MAX),
      journal: list(journalEntry(), 2 * REQUESTS_MAX),
      guesses: optional(list(guess(), GUESSES_MAX, 1)),
      at: optional(checkpoint()),
    }),
    BATCH_ITEMS_MAX,
    1,
  ),
  signed: signedBatch(Invocation.bytesMax),
  delegation: optional(envelope(Delegation.bytesMax)),
})
const invoke = of('invoke', invocations())
/**
 * The same for items of which others may have copies: the receiver says when each starts, and does not start it within
 * the ms of `holds` in the same place.
 */
const tied = of('tied', { ...invocations(), holds: list(integer(0, HOLD_MS_MAX), BATCH_ITEMS_MAX, 1) })
const accepted = of('accepted', { ids: ids() })
/** Not taken: why, and peers that may. */
const refused = of('refused', { ids: ids(), code: errorCode(), message: text(), better: list(peerId(), 8) })
/** Of those that came tied: they run now. */
const started = of('started', { ids: ids() })
/** Every 500 ms while any item of the receiver's is unanswered; from the agent, never from the guest. */
const progress = of('progress', {
  items: list(
    v.strictObject({
      id: id(),
      state: v.picklist(['queued', 'running', 'waiting']),
      fuel: integer(0, FUEL_MAX),
      alive: v.boolean(),
    }),
    BATCH_ITEMS_MAX,
  ),
})
/** Outcomes, on the word of the connection; the signed receipts follow. */
const answers = of('answers', {
  items: list(v.strictObject({ id: id(), outcome: bytes(Outcome.bytesMax) }), BATCH_ITEMS_MAX, 1),
})
/** The answered items' journals have come to so many entries; the home signs their heads, and receipts follow. */
const journals = of('journals', {
  items: list(v.strictObject({ id: id(), length: integer(1, 2 * REQUESTS_MAX) }), BATCH_ITEMS_MAX, 1),
})
/** Home to executor: their heads, signed. */
const heads = of('heads', { ids: ids(), signed: signedBatch(JournalHead.bytesMax) })
const receipts = of('receipts', { ids: ids(), signed: signedBatch(Receipt.bytesMax) })
/** The attempt ended without an outcome. */
const failed = of('failed', { ids: ids(), code: errorCode(), message: text() })
const cancel = of('cancel', { ids: ids() })
/** Executor to home: effect `n` of item `id`. */
const request = of('request', {
  id: id(),
  n: integer(0, REQUESTS_MAX - 1),
  after: integer(0, REQUESTS_MAX),
  kind: v.picklist(EFFECT_KINDS),
  arguments: bytes(OUTPUT_BYTES_MAX),
})
/** The same of a read that was answered there and then, from the guess that came with the item in this place. */
const guessed = of('guessed', {
  id: id(),
  n: integer(0, REQUESTS_MAX - 1),
  after: integer(0, REQUESTS_MAX),
  guess: integer(0, GUESSES_MAX - 1),
})
/** Executor to home: where its run is at rest, of those whose effects it passes on. */
const rested = of('rested', { id: id(), checkpoint: checkpoint() })
/** Home to executor: the answer to it. */
const answered = of('answer', { id: id(), n: integer(0, REQUESTS_MAX - 1), answer: answer() })
/** Home to the executors it compared: the secret behind the draw, and how it ended. */
const verdict = of('verdict', {
  invocation: cid(),
  secret: bytes(32, 32),
  verdict: v.picklist(['agreed', 'disputed', 'insufficient']),
})

export const PeerFrame = message(
  'frame',
  FRAME_BYTES_MAX,
  v.variant('t', [
    hello,
    welcome,
    bye,
    ping,
    pong,
    advertise,
    load,
    peers,
    invoke,
    accepted,
    refused,
    progress,
    answers,
    receipts,
    failed,
    cancel,
    request,
    answered,
    verdict,
    revocations,
    lookup,
    found,
    reach,
    sought,
    journals,
    heads,
    tied,
    started,
    proof,
    contradiction,
    guessed,
    rested,
  ]),
)
export type PeerFrame = v.InferOutput<typeof PeerFrame.schema>
export type FrameOf<T extends PeerFrame['t']> = Extract<PeerFrame, { t: T }>

const CIDS_MAX = 64

/** Asks which of `cids` the other holds (`send` false), or for their bytes. */
const want = of('want', { cids: list(cid(), CIDS_MAX, 1), send: v.boolean() })
/** The answer: those held, and those not. Held ones asked with `send` follow as blocks. */
const have = of('have', { cids: list(cid(), CIDS_MAX), missing: list(cid(), CIDS_MAX) })
/** One chunk of a block of `size` bytes; chunks come in order. */
const block = of('block', {
  cid: cid(),
  size: integer(1, BLOCK_BYTES_MAX),
  offset: integer(0, BLOCK_BYTES_MAX),
  bytes: bytes(BLOCK_CHUNK_BYTES, 1),
})

export const BlockFrame = message('block frame', BLOCK_CHUNK_BYTES + 8192, v.variant('t', [want, have, block]))
export type BlockFrame = v.InferOutput<typeof BlockFrame.schema>
