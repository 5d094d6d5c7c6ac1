/** One message of each kind and more, with every field filled: what the vectors hold. */
import { cidDigest, rawCid, recordCid } from '../../protocol/cid.ts'
import { encodeCanonical } from '../../protocol/codec.ts'
import { batchOf, type Envelope, signBatch } from '../../protocol/envelope.ts'
import type { BlockFrame, PeerFrame } from '../../protocol/frames.ts'
import { type Guess, type JournalEntry, journalHead } from '../../protocol/journal.ts'
import { Genesis, Membership, meshIdOf, Revocation, signTicket, Ticket } from '../../protocol/mesh.ts'
import { Outcome } from '../../protocol/outcome.ts'
import {
  Advertisement,
  type Checkpoint,
  Invocation,
  JournalHead,
  Manifest,
  Receipt,
  ReceiptFile,
  Task,
  taskIdOf,
} from '../../protocol/records.ts'
import { encodeValue } from '../../protocol/values.ts'
import { crypto, testPeer } from './test-keys.ts'

const operator = testPeer(0)
export const alice = testPeer(1)
export const bob = testPeer(2)

/** 2027-01-15T08:00:00Z. */
export const EXPIRES_MS = 1_800_000_000_000
export const filled = (length: number, byte: number) => new Uint8Array(length).fill(byte)
export const utf8 = (text: string) => new TextEncoder().encode(text)

const genesis: Genesis = {
  v: 1,
  name: 'home',
  operator: operator.id,
  policy: { admission: 'private', independence: 'peer' },
  nonce: filled(16, 1),
}
const publicGenesis: Genesis = {
  ...genesis,
  name: 'Straße 東京 🜁',
  policy: { admission: 'public', independence: 'operator' },
}
export const mesh = meshIdOf(crypto, genesis)

const membership: Membership = { v: 1, mesh, peer: alice.id, expires_ms: EXPIRES_MS, own: false }
const [ofAlice] = (await signBatch(crypto, operator.signer, operator.id, 'membership', [
  Membership.encode(membership),
  Membership.encode({ ...membership, peer: bob.id }),
])) as [Envelope, Envelope]

const ticket: Ticket = {
  v: 1,
  mesh,
  addresses: [`/ip4/192.0.2.1/tcp/4001/p2p/${alice.id}`, `/dns4/peer.example/tcp/443/wss/p2p/${alice.id}`],
  expires_ms: EXPIRES_MS,
  inviter: alice.id,
  own: false,
  chain: [ofAlice],
}
export const signedTicket = await signTicket(crypto, alice.signer, ticket)
const [, ticketOfBatch] = (await signBatch(crypto, alice.signer, alice.id, 'ticket', [
  Ticket.encode(ticket),
  Ticket.encode({ ...ticket, expires_ms: EXPIRES_MS + 1 }),
])) as [Envelope, Envelope]

const revocation: Revocation = { v: 1, mesh, peer: bob.id, revoked_ms: EXPIRES_MS, chain: [ofAlice] }
const byAlice = await signBatch(crypto, alice.signer, alice.id, 'revocation', [Revocation.encode(revocation)])
const byOperator = await signBatch(crypto, operator.signer, operator.id, 'revocation', [
  Revocation.encode({ ...revocation, chain: [] }),
  Revocation.encode({ ...revocation, peer: alice.id, chain: [] }),
])

const code = utf8('export default (input) => "Hello, " + input.name\nexport const twice = (n) => 2 * n\n')
const engine = `quickjs:${'5e41'.repeat(16)}`
const limits = { fuel: 10_000_000_000, memory_bytes: 67_108_864, output_bytes: 4_194_304 }
const manifest: Manifest = {
  v: 1,
  name: 'hello',
  exports: ['default', 'twice'],
  effects: ['call'],
  limits,
  tier: 'javascript',
  modules: [9],
  code: [rawCid(crypto, code)],
  code_bytes: code.length,
}

const stateful: Manifest = {
  ...manifest,
  effects: ['delete', 'fetch', 'get', 'list', 'now', 'put', 'random', 'send', 'sleep'],
  env: [
    { name: 'API', kind: 'fetch' },
    { name: 'DB', kind: 'state' },
    { name: 'KEY', kind: 'secret' },
  ],
}

const input = encodeValue({ name: 'Ada' })
export const template = {
  function: recordCid(crypto, Manifest.encode(manifest)),
  export: 'default',
  environment: { engine, protocol: 1 as const, limits },
}
const task: Task = { v: 1, ...template, input: rawCid(crypto, input) }

const invocation: Invocation = {
  v: 1,
  mesh,
  task: taskIdOf(crypto, task),
  invoker: alice.id,
  home: alice.id,
  nonce: filled(16, 2),
  deadline_ms: EXPIRES_MS,
  draw: {
    commitment: crypto.hash(filled(32, 3)),
    candidates: recordCid(crypto, encodeCanonical([alice.id, bob.id].sort())),
  },
  public: false,
}
const invocations = await signBatch(crypto, alice.signer, alice.id, 'invocation', [
  Invocation.encode(invocation),
  Invocation.encode({ ...invocation, nonce: filled(16, 4) }),
])

const twice = encodeValue({ ref: '#twice', input: 21 })
const nothing = encodeValue({ ref: '#nothing', input: null, options: { fuel: 1_000_000, timeoutMs: 1000 } })
export const journal: JournalEntry[] = [
  { entry: 'request', n: 0, after: 0, kind: 'call', arguments: twice },
  { entry: 'request', n: 1, after: 0, kind: 'call', arguments: nothing },
  { entry: 'answer', n: 1, answer: { ok: false, code: 'E_EXPORT_UNKNOWN', message: 'no export nothing' } },
  { entry: 'answer', n: 0, answer: { ok: true, value: encodeValue(42) } },
]

const visits = encodeValue({ binding: 'DB', key: 'visits' })
const visited = encodeValue({ binding: 'DB', key: 'visits', value: 5 })
const ofVisits: Guess = { kind: 'get', arguments: visits, value: encodeValue(4) }
const ofList: Guess = {
  kind: 'list',
  arguments: encodeValue({ binding: 'DB', prefix: 'cart/ada/', after: null, limit: 100 }),
  value: encodeValue({ entries: [{ key: 'cart/ada/1', value: 'tea' }], more: false }),
}
/** Of a step that reads and writes: what is deferred has no answer. */
export const statefulJournal: JournalEntry[] = [
  { entry: 'request', n: 0, after: 0, kind: 'get', arguments: visits },
  { entry: 'request', n: 1, after: 0, kind: 'now', arguments: encodeValue({}) },
  { entry: 'answer', n: 0, answer: { ok: true, value: encodeValue(4) } },
  { entry: 'request', n: 2, after: 1, kind: 'put', arguments: visited },
  { entry: 'answer', n: 1, answer: { ok: true, value: encodeValue(EXPIRES_MS) } },
]

const outcome: Outcome = {
  v: 1,
  result: { ok: true, value: encodeValue('Hello, Ada') },
  requests: [
    { kind: 'call', arguments: twice },
    { kind: 'call', arguments: nothing },
  ],
  console: [
    { level: 'log', text: 'greeting Ada' },
    { level: 'warn', text: '' },
  ],
  fuel: 20_000,
  memory_bytes: 17_825_792,
}
const failedOutcome: Outcome = {
  ...outcome,
  result: { ok: false, code: 'E_FUNCTION_THREW', message: 'TypeError: no name', stack: '    at hello (index.js:1)\n' },
  requests: [],
  console: [],
}
const outcomeBytes = Outcome.encode(outcome)

const invocationCid = recordCid(crypto, Invocation.encode(invocation))
export const receipt: Receipt = {
  v: 1,
  mesh,
  invocation: invocationCid,
  task: taskIdOf(crypto, task),
  attempt: 1,
  epoch: 0,
  executor: bob.id,
  home: alice.id,
  engine,
  limits,
  journal: {
    head: journal.reduce((head, entry) => journalHead(crypto, head, entry), cidDigest(invocationCid)),
    length: journal.length,
  },
  outcome: recordCid(crypto, outcomeBytes),
  usage: { fuel: outcome.fuel, memory_bytes: outcome.memory_bytes, bytes: input.length + outcomeBytes.length },
}
const checkpoint: Checkpoint = { answers: 1, state: [rawCid(crypto, filled(8, 1)), rawCid(crypto, filled(8, 2))] }
const journalHeadOf = (epoch: number): JournalHead => {
  return { v: 1, invocation: invocationCid, epoch, journal: receipt.journal }
}
const heads = await signBatch(crypto, alice.signer, alice.id, 'journal-head', [
  JournalHead.encode(journalHeadOf(0)),
  JournalHead.encode(journalHeadOf(1)),
])
const otherHead = { ...journalHeadOf(0), journal: { ...receipt.journal, head: filled(32, 9) } }
const contradicting = await signBatch(crypto, alice.signer, alice.id, 'journal-head', [JournalHead.encode(otherHead)])
const receipts = await signBatch(crypto, bob.signer, bob.id, 'receipt', [
  Receipt.encode(receipt),
  Receipt.encode({ ...receipt, attempt: 2 }),
  Receipt.encode({ ...receipt, epoch: 1 }),
])

const advertisement: Advertisement = {
  v: 1,
  mesh,
  peer: bob.id,
  sequence: 7,
  expires_ms: EXPIRES_MS,
  protocols: [1, 2],
  engines: [engine],
  effects: ['call', 'an effect of a later version'],
  addresses: [`/ip4/192.0.2.2/tcp/4001/p2p/${bob.id}`],
  slots: 4,
  free: 3,
  queued: 12,
  memory_bytes: 536_870_912,
  speed: 60_000,
  neighbours: 5,
  coordinate: { position_us: [-40_250, 0, 1_000_000], height_us: 3100, error_permille: 120 },
}
const signedAdvertisements = await signBatch(crypto, bob.signer, bob.id, 'advertisement', [
  Advertisement.encode(advertisement),
  Advertisement.encode({ ...advertisement, sequence: 8 }),
])

const traced = [0, 8, 16].map((tick) => ({ tick, hash: filled(32, tick) }))

const receiptFile: ReceiptFile = {
  v: 1,
  receipts: receipts.slice(0, 1),
  invocations: invocations.slice(0, 1),
  heads: heads.slice(0, 1),
  journal,
  blocks: [Task.encode(task), input, Manifest.encode(manifest), code, outcomeBytes],
  verification: [{ by: 'quorum', independence: 'operator', verifiers: 1, executions: 3 }],
}

/** Reads something large, and is answered with its blocks. */
const ofBlocks: JournalEntry[] = [
  { entry: 'request', n: 0, after: 0, kind: 'get', arguments: visits },
  {
    entry: 'answer',
    n: 0,
    answer: { ok: true, value: new Uint8Array(), blocks: [rawCid(crypto, code), rawCid(crypto, input)] },
  },
]

/** By the name of the message. */
export const recordExamples: Record<string, unknown[]> = {
  genesis: [genesis, publicGenesis],
  membership: [membership, { ...membership, own: true }],
  ticket: [ticket, { ...ticket, own: true, chain: [] }],
  revocation: [revocation, { ...revocation, chain: [] }],
  'signed ticket': [signedTicket, ticketOfBatch],
  manifest: [manifest, stateful, { ...manifest, exports: ['default'], effects: [], tier: 'webassembly', modules: [] }],
  task: [task],
  invocation: [invocation, { ...invocation, public: true }, { ...invocation, trace_ticks: 8 }],
  receipt: [receipt, { ...receipt, trace: traced }, { ...receipt, trace: [] }, { ...receipt, at: checkpoint }],
  'journal head': [journalHeadOf(0)],
  outcome: [outcome, failedOutcome, { ...outcome, requests: [{ kind: 'put', arguments: visited }] }],
  advertisement: [advertisement],
  'receipt file': [receiptFile, { ...receiptFile, verification: [] }, { ...receiptFile, journal: ofBlocks }],
}

const hello: Extract<PeerFrame, { t: 'hello' }> = {
  t: 'hello',
  protocols: [1],
  features: [],
  agent: 'wayside/0.1.0',
  genesis: Genesis.encode(genesis),
  credential: { by: 'none' },
}
const [first] = journal as [Extract<JournalEntry, { entry: 'request' }>]

const resumed = {
  task: template,
  timeout_ms: 300_000,
  items: [
    { id: 9, attempt: 2, epoch: 1, input, journal, at: checkpoint },
    { id: 10, attempt: 1, epoch: 0, input, journal: [] },
  ],
  signed: batchOf(invocations),
}
export const peerFrameExamples: PeerFrame[] = [
  hello,
  { ...hello, genesis: new Uint8Array(0), credential: { by: 'ticket', ticket: ticketOfBatch } },
  { ...hello, protocols: [1, 2], features: ['later'], credential: { by: 'membership', chain: [ofAlice] } },
  { t: 'welcome', chain: [ofAlice] },
  { t: 'welcome', chain: [] },
  { t: 'bye', code: 'E_STOPPING', message: 'the agent is shutting down' },
  { t: 'ping', id: 1 },
  { t: 'pong', id: 1, coordinate: advertisement.coordinate },
  { t: 'load', slots: 4, free: 0, queued: 31 },
  { t: 'advertise', signed: signedAdvertisements[0] as Envelope },
  { t: 'peers', signed: signedAdvertisements },
  {
    t: 'invoke',
    task: template,
    timeout_ms: 300_000,
    items: [
      { id: 1, attempt: 1, epoch: 0, input, journal: [] },
      { id: 2, attempt: 2, epoch: 1, input, journal },
    ],
    signed: batchOf(invocations),
  },
  {
    t: 'invoke',
    task: template,
    timeout_ms: 300_000,
    items: [
      { id: 5, attempt: 1, epoch: 0, input, journal: [], guesses: [ofVisits, ofList] },
      { id: 6, attempt: 2, epoch: 1, input, journal: ofBlocks },
    ],
    signed: batchOf(invocations),
  },
  { t: 'invoke', ...resumed },
  {
    t: 'tied',
    task: template,
    timeout_ms: 300_000,
    items: [
      { id: 3, attempt: 1, epoch: 0, input, journal: [] },
      { id: 4, attempt: 2, epoch: 1, input, journal },
    ],
    signed: batchOf(invocations),
    holds: [0, 120],
  },
  {
    t: 'tied',
    task: template,
    timeout_ms: 300_000,
    items: [
      { id: 7, attempt: 1, epoch: 0, input, journal: [], guesses: [ofVisits] },
      { id: 8, attempt: 2, epoch: 1, input, journal: ofBlocks },
    ],
    signed: batchOf(invocations),
    holds: [0, 0],
  },
  { t: 'tied', ...resumed, holds: [0, 0] },
  { t: 'accepted', ids: [1, 2] },
  { t: 'started', ids: [3] },
  { t: 'refused', ids: [1, 2], code: 'E_BUSY', message: 'the queue is full', better: [alice.id] },
  {
    t: 'progress',
    items: [
      { id: 1, state: 'running', fuel: 30_000, alive: true },
      { id: 2, state: 'queued', fuel: 0, alive: true },
      { id: 3, state: 'waiting', fuel: 10_000, alive: false },
    ],
  },
  { t: 'answers', items: [{ id: 1, outcome: outcomeBytes }] },
  {
    t: 'journals',
    items: [
      { id: 1, length: 4 },
      { id: 2, length: 1 },
    ],
  },
  { t: 'heads', ids: [1, 2], signed: batchOf(heads) },
  {
    t: 'proof',
    receipt: receipts[0] as Envelope,
    invocation: invocations[0] as Envelope,
    file: rawCid(crypto, ReceiptFile.encode(receiptFile)),
  },
  { t: 'contradiction', heads: [heads[0] as Envelope, ...contradicting] },
  { t: 'receipts', ids: [1, 2, 3], signed: batchOf(receipts) },
  { t: 'failed', ids: [2], code: 'E_INCONCLUSIVE', message: 'killed by the wall clock' },
  { t: 'cancel', ids: [2] },
  { t: 'request', id: 2, n: 2, after: 1, kind: 'put', arguments: visited },
  { t: 'request', id: 2, n: first.n, after: first.after, kind: first.kind, arguments: first.arguments },
  { t: 'guessed', id: 5, n: 0, after: 0, guess: 1 },
  { t: 'rested', id: 2, checkpoint },
  { t: 'answer', id: 2, n: 0, answer: { ok: true, value: encodeValue(42) } },
  { t: 'answer', id: 2, n: 0, answer: { ok: true, value: new Uint8Array(), blocks: [rawCid(crypto, code)] } },
  { t: 'answer', id: 2, n: 1, answer: { ok: false, code: 'E_EXPORT_UNKNOWN', message: 'no export nothing' } },
  { t: 'verdict', invocation: receipt.invocation, secret: filled(32, 3), verdict: 'agreed' },
  { t: 'revocations', signed: [...byAlice, ...byOperator] },
  { t: 'lookup', id: 1, capability: engine, cell: '0.-1.2' },
  { t: 'lookup', id: 2, capability: engine, cell: '0.-1.2', known: true },
  { t: 'found', id: 1, peers: [{ peer: bob.id, addresses: advertisement.addresses }], wait_ms: 0 },
  { t: 'found', id: 2, peers: [], wait_ms: 15_000 },
  { t: 'reach', peer: alice.id },
  { t: 'sought', signed: signedAdvertisements[0] as Envelope },
]

export const blockFrameExamples: BlockFrame[] = [
  { t: 'want', cids: [rawCid(crypto, code), template.function], send: true },
  { t: 'have', cids: [rawCid(crypto, code)], missing: [template.function] },
  { t: 'block', cid: rawCid(crypto, code), size: code.length, offset: 0, bytes: code },
]
