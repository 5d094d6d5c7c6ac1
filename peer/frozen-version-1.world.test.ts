/**
 * A peer of version 1, written from protocol/README.md and never to be changed: it shares no code with ours but CBOR
 * and base58. As long as it can join, call and execute, version 1 is spoken.
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { decode, encode } from '@ipld/dag-cbor'
import { base32 } from 'multiformats/bases/base32'
import { base58btc } from 'multiformats/bases/base58'
import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'
import { expect, test } from 'vitest'
import type { Channel } from '../protocol/ports.ts'
import { publish, requestOf, returned, worldFor } from '../scripts/test/world.ts'

const ENGINE = `quickjs:${'5e41'.repeat(16)}`
const PEER = '/wayside/1/peer'
const BLOCKS = '/wayside/1/blocks'

type Bytes = Uint8Array
type Frame = { t: string; [field: string]: unknown }

const ascii = (text: string): Bytes => Uint8Array.from(Buffer.from(text, 'latin1'))
const join = (...parts: Bytes[]): Bytes => Uint8Array.from(Buffer.concat(parts))
const sha256 = (bytes: Bytes): Bytes => Uint8Array.from(createHash('sha256').update(bytes).digest())
const cid = (codec: number, bytes: Bytes) => CID.createV1(codec, Digest.create(0x12, sha256(bytes)))
const recordCid = (bytes: Bytes) => cid(0x71, bytes)
const rawCid = (bytes: Bytes) => cid(0x55, bytes)

const KEY_PREFIX = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20)
const publicKeyOf = (peerId: string): KeyObject => {
  const raw = base58btc.baseDecode(peerId).subarray(KEY_PREFIX.length)
  const key = join(Buffer.from('302a300506032b6570032100', 'hex'), raw)
  return createPublicKey({ key: Buffer.from(key), format: 'der', type: 'spki' })
}

const leaf = (kind: string, payload: Bytes) => sha256(join(Uint8Array.of(0), ascii(`/wayside/1/${kind}\0`), payload))
const tree = (leaves: Bytes[]): Bytes => {
  if (leaves.length === 1) return leaves[0]!
  let k = 1
  while (2 * k < leaves.length) k *= 2
  return sha256(join(Uint8Array.of(1), tree(leaves.slice(0, k)), tree(leaves.slice(k))))
}
const statement = (size: number, root: Bytes) =>
  join(ascii('/wayside/1/root\0'), Uint8Array.of(size >> 8, size & 255), root)

const batchHolds = (signer: string, kind: string, batch: { payloads: Bytes[]; signature: Bytes }) => {
  const root = tree(batch.payloads.map((payload) => leaf(kind, payload)))
  return verify(null, statement(batch.payloads.length, root), publicKeyOf(signer), batch.signature)
}

/** One of a kind: the key is always the same. */
class FrozenPeer {
  readonly #key: KeyObject
  readonly peerId: string
  readonly heard: Frame[] = []
  channel: Channel | undefined
  mesh: CID | undefined
  act: (frame: Frame) => void = () => {}

  constructor() {
    const der = join(Buffer.from('302e020100300506032b657004220420', 'hex'), new Uint8Array(32).fill(0x11))
    this.#key = createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' })
    const raw = createPublicKey(this.#key).export({ format: 'der', type: 'spki' }).subarray(-32)
    this.peerId = base58btc.baseEncode(join(KEY_PREFIX, raw))
  }

  attach(channel: Channel): void {
    this.channel = channel
    channel.receive({
      frame: (bytes) => {
        const frame = decode<Frame>(bytes)
        this.heard.push(frame)
        this.act(frame)
      },
      closed: (reason) => void this.heard.push({ t: 'closed', reason }),
    })
  }

  say(frame: Frame): void {
    this.channel?.send(encode(frame))
  }

  sign(kind: string, payload: Bytes) {
    const signature = Uint8Array.from(sign(null, statement(1, leaf(kind, payload)), this.#key))
    return { payload, signer: this.peerId, signature, index: 0, size: 1, path: [] }
  }

  signed(kind: string, record: unknown) {
    const { payload, signature } = this.sign(kind, encode(record))
    return { payloads: [payload], signature }
  }

  advertisement(nowMs: number, address: string) {
    return this.sign(
      'advertisement',
      encode({
        ...{ v: 1, mesh: this.mesh, peer: this.peerId, sequence: 1, expires_ms: nowMs + 120_000, protocols: [1] },
        ...{ engines: [ENGINE], effects: [], addresses: [address], slots: 1, free: 1, queued: 0 },
        ...{ memory_bytes: 268_435_456, speed: 0, neighbours: 1 },
        coordinate: { position_us: [0, 0, 0], height_us: 3000, error_permille: 1000 },
      }),
    )
  }

  /** Answers one item with an outcome that returned `value`, and signs for it. */
  answer(invoke: Frame, value: unknown): void {
    const { task, items, signed } = invoke as unknown as {
      task: { environment: { engine: string; limits: unknown } }
      items: { id: number; attempt: number; epoch: number; input: Bytes }[]
      signed: { payloads: Bytes[]; signature: Bytes }
    }
    const [item] = items as [(typeof items)[0]]
    const invocation = decode<{ task: CID; home: string }>(signed.payloads[0]!)
    const outcome = encode({
      ...{ v: 1, result: { ok: true, value: encode(value) }, requests: [], console: [] },
      ...{ fuel: 20_000, memory_bytes: 16_777_216 },
    })
    this.say({ t: 'answers', items: [{ id: item.id, outcome }] })
    const invocationCid = recordCid(signed.payloads[0]!)
    const receipt = {
      ...{ v: 1, mesh: this.mesh, invocation: invocationCid, task: invocation.task, attempt: item.attempt },
      ...{ epoch: item.epoch, executor: this.peerId, home: invocation.home, engine: task.environment.engine },
      ...{ limits: task.environment.limits, journal: { head: invocationCid.multihash.digest, length: 0 } },
      outcome: recordCid(outcome),
      usage: { fuel: 20_000, memory_bytes: 16_777_216, bytes: item.input.length + outcome.length },
    }
    this.say({ t: 'receipts', ids: [item.id], signed: this.signed('receipt', receipt) })
  }
}

/** A host of ours, and the frozen peer connected to it by a ticket that the host wrote. */
const joined = async (name: string) => {
  const world = await worldFor(name, { peers: 1, setup: () => ({ engines: [ENGINE] }) })
  const host = world.peers[0]!
  const frozen = new FrozenPeer()
  const network = world.hub.join(frozen.peerId, { log: { event: () => {} } })
  network.handle(BLOCKS, (channel) => channel.receive({ frame() {}, closed() {} }), { frameBytesMax: 73_728 })
  await network.start()
  const text = await host.peer.invite(60_000)
  expect(text.startsWith('wayside1')).toBe(true)
  const ticket = decode<{ payload: Bytes; signer: string }>(base32.baseDecode(text.slice(8)))
  const { addresses, mesh } = decode<{ addresses: string[]; mesh: CID }>(ticket.payload)
  frozen.mesh = mesh
  await world.until(network.connect(addresses[0]!))
  frozen.attach(await world.until(network.open(host.peerId, PEER, { frameBytesMax: 5_308_416 })))
  const credential = { by: 'ticket', ticket }
  frozen.say({ t: 'hello', protocols: [1], features: [], agent: 'frozen', genesis: new Uint8Array(), credential })
  frozen.say({ t: 'welcome', chain: [] })
  await world.clock.advance(0)
  frozen.say({ t: 'advertise', signed: frozen.advertisement(world.clock.now(), network.addresses()[0]!) })
  await world.clock.advance(0)
  return { world, host, frozen }
}

const fieldsOf = (frame: Frame | undefined) => Object.keys(frame ?? {}).sort()

test('it joins by a ticket, and learns the mesh and its own membership', async () => {
  const { host, frozen } = await joined('joins')
  const [hello, welcome, advertise, peers] = frozen.heard
  expect(frozen.heard.map(({ t }) => t).slice(0, 2)).toEqual(['hello', 'welcome'])
  expect(fieldsOf(hello)).toEqual(['agent', 'credential', 'features', 'genesis', 'protocols', 't'])
  expect(recordCid(hello!.genesis as Bytes).equals(frozen.mesh)).toBe(true)
  const [membership] = welcome!.chain as [{ payload: Bytes; signer: string; signature: Bytes }]
  expect(membership.signer).toBe(host.peerId)
  const { payload, signature } = membership
  expect(batchHolds(host.peerId, 'membership', { payloads: [payload], signature })).toBe(true)
  expect(decode(payload)).toMatchObject({ v: 1, peer: frozen.peerId })
  const ours = [advertise, peers, ...frozen.heard.slice(4)].find((frame) => frame?.t === 'advertise')
  const offer = decode<Record<string, unknown>>((ours!.signed as { payload: Bytes }).payload)
  expect(offer).toMatchObject({ v: 1, peer: host.peerId, protocols: [1], engines: [ENGINE], slots: 2 })
  expect(host.peer.status().neighbours).toMatchObject([{ peer: frozen.peerId, member: true, slots: 1 }])
})

test('it answers a ping, and is answered', async () => {
  const { world, frozen } = await joined('pings')
  frozen.say({ t: 'ping', id: 77 })
  await world.clock.advance(0)
  const pong = frozen.heard.find(({ t }) => t === 'pong')!
  expect(pong.id).toBe(77)
  expect(fieldsOf(pong)).toEqual(['coordinate', 'id', 't'])
  expect(fieldsOf(pong.coordinate as Frame)).toEqual(['error_permille', 'height_us', 'position_us'])
})

test('it executes: an invoke, an answer, a receipt', async () => {
  const { world, host, frozen } = await joined('executes')
  frozen.act = (frame) => {
    if (frame.t !== 'invoke') return
    const [item] = frame.items as [{ id: number }]
    frozen.say({ t: 'accepted', ids: [item.id] })
    frozen.say({ t: 'progress', items: [{ id: item.id, state: 'running', fuel: 0, alive: true }] })
    frozen.answer(frame, { sum: 42 })
  }
  const f = await publish(host, 'export default (x) => ({ sum: x + 2 })')
  const result = await world.until(host.peer.call(requestOf(f, 40)))
  expect(returned(result)).toEqual({ sum: 42 })
  expect(result.performed[0]!.executor).toBe(frozen.peerId)
  expect((await world.until(result.performed[0]!.receipt())).signer).toBe(frozen.peerId)
  const invoke = frozen.heard.find(({ t }) => t === 'invoke')!
  expect(fieldsOf(invoke)).toEqual(['items', 'signed', 't', 'task', 'timeout_ms'])
  const signed = invoke.signed as { payloads: Bytes[]; signature: Bytes }
  expect(batchHolds(host.peerId, 'invocation', signed)).toBe(true)
  const [item] = invoke.items as [{ input: Bytes }]
  expect(decode(item.input)).toBe(40)
  const task = encode({ v: 1, ...(invoke.task as object), input: rawCid(item.input) })
  expect(decode<{ task: CID }>(signed.payloads[0]!).task.equals(recordCid(task))).toBe(true)
})

test('it calls: an invoke of its own is accepted, answered and signed for', async () => {
  const { world, host, frozen } = await joined('calls')
  const f = await publish(host, 'export default (x) => ({ sum: x + 2 })', { fuel: 1_000_000 })
  const limits = { fuel: 1_000_000, memory_bytes: 67_108_864, output_bytes: 1_048_576 }
  const task = { function: f.cid, export: 'default', environment: { engine: ENGINE, protocol: 1, limits } }
  const input = encode(40)
  const taskId = recordCid(encode({ v: 1, ...task, input: rawCid(input) }))
  const draw = { commitment: sha256(new Uint8Array(32)), candidates: recordCid(encode([host.peerId])) }
  const invocation = {
    ...{ v: 1, mesh: frozen.mesh, task: taskId, invoker: frozen.peerId, home: frozen.peerId },
    ...{ nonce: new Uint8Array(16).fill(5), deadline_ms: world.clock.now() + 10_000, draw, public: false },
  }
  const items = [{ id: 1, attempt: 1, epoch: 0, input, journal: [] }]
  frozen.say({ t: 'invoke', task, timeout_ms: 10_000, items, signed: frozen.signed('invocation', invocation) })
  await world.clock.advance(100)
  const of = (t: string) => frozen.heard.find((frame) => frame.t === t)
  expect(of('refused')).toBeUndefined()
  const [{ outcome }] = of('answers')!.items as [{ outcome: Bytes }]
  const produced = decode<{ result: { ok: boolean; value: Bytes }; fuel: number }>(outcome)
  expect(decode(produced.result.value)).toEqual({ sum: 42 })
  const { ids, signed } = of('receipts') as unknown as {
    ids: number[]
    signed: { payloads: Bytes[]; signature: Bytes }
  }
  expect(ids).toEqual([1])
  expect(batchHolds(host.peerId, 'receipt', signed)).toBe(true)
  const receipt = decode<Record<string, unknown>>(signed.payloads[0]!)
  expect(receipt).toMatchObject({
    v: 1,
    attempt: 1,
    epoch: 0,
    executor: host.peerId,
    home: frozen.peerId,
    engine: ENGINE,
  })
  expect((receipt.outcome as CID).equals(recordCid(outcome))).toBe(true)
  expect((receipt.task as CID).equals(taskId)).toBe(true)
  const usage = { fuel: produced.fuel, bytes: input.length + outcome.length }
  expect(receipt.usage).toMatchObject(usage)
})
