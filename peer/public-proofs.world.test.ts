import { describe, expect, onTestFinished, test } from 'vitest'
import { rawCid, recordCid } from '../protocol/cid.ts'
import type { Envelope } from '../protocol/envelope.ts'
import { BLOCKS_PROTOCOL, BlockFrame, type FrameOf } from '../protocol/frames.ts'
import { MIB } from '../protocol/limits.ts'
import { Invocation, Receipt, ReceiptFile } from '../protocol/records.ts'
import { fileOf, receiptIn, SUM, wrongOutcome } from '../scripts/test/receipt-files.ts'
import { type ScriptedPeer, scriptedPeer } from '../scripts/test/scripted-peer.ts'
import { seedFor } from '../scripts/test/seed.ts'
import { machine, publish, requestOf } from '../scripts/test/world.ts'
import { lyingHost, sleeperHost, slowHost } from '../simulations/adversaries.ts'
import { twoFacedHome } from '../simulations/two-faced-home.ts'
import { type PeerSetup, World, type WorldMachine, type WorldPeer } from '../simulations/world.ts'
import { ensureLevel } from './calls.ts'
import { headBytes } from './journal-heads.ts'
import { PROOFS_PER_MINUTE_MAX, PROOFS_PER_SENDER_PER_MINUTE_MAX } from './proof-budget.ts'
import { Standings } from './standings.ts'

const { crypto } = machine
const DOUBLE = 'export default (x) => 2 * x'
const CHECKPOINT = { answers: 0, state: [rawCid(crypto, Uint8Array.of(1))] }
const LENDS_NOTHING: PeerSetup = { policy: { slots: 0 } }

interface Row {
  world: World
  row: WorldPeer[]
  /** Connected with all of them. */
  hub: WorldPeer
}

/** Peers in a row, each connected with the next ones only, and one that is connected with all. */
const rowOf = async (
  name: string,
  length: number,
  hub: PeerSetup,
  adapt = (one: WorldMachine) => one,
): Promise<Row> => {
  const world = new World({ machine, seed: seedFor(name), peers: 0 })
  onTestFinished(() => world.stop())
  const machines = Array.from({ length }, () => world.machine(LENDS_NOTHING))
  const row: WorldPeer[] = []
  for (const [i, one] of machines.entries()) {
    const deny = machines.flatMap(({ peerId }, j) => (Math.abs(i - j) > 1 ? [peerId] : []))
    row.push(await world.add({ policy: { slots: 0, deny } }, one))
  }
  const central = await world.add(hub, adapt(world.machine(hub)))
  for (const [i, { peer }] of row.entries()) if (i > 0) await world.until(peer.join(row[i - 1]!.address))
  for (const { address } of row) await world.until(central.peer.join(address))
  await world.clock.advance(1000)
  return { world, row, hub: central }
}

const called = async (
  { world, row }: Row,
  who: number,
  options: { public?: boolean; level?: string; code?: string } = {},
) => {
  const { peer } = row[who]!
  const { level = 'self', code = DOUBLE } = options
  const published = await publish(
    row[who]!,
    code,
    code === SUM ? { exports: ['default', 'part'], effects: ['call'] } : {},
  )
  const request = requestOf(published, 21, { level: ensureLevel(level), public: options.public })
  return world.until(peer.call(request))
}

const trustIn = ({ peer }: WorldPeer, whom: string) => peer.status().neighbours.find((one) => one.peer === whom)?.trust
const named = ({ events }: WorldPeer, name: string) => events.filter((one) => one.name === name)
const liar: PeerSetup = { sandboxHost: lyingHost }

describe('a proof of a public call', () => {
  test('travels over three hops, and counts once for each who runs it again', async () => {
    const mesh = await rowOf('three hops', 4, liar)
    const { disputes } = await called(mesh, 0, { public: true })
    expect(disputes).toHaveLength(1)
    await mesh.world.clock.advance(3000)
    for (const [i, one] of mesh.row.entries()) {
      expect([i, trustIn(one, mesh.hub.peerId)]).toMatchObject([i, { caught: 1, state: 'probation' }])
      expect(named(one, 'proof.accepted')).toHaveLength(i === 0 ? 0 : 1)
    }
  })

  test('and so does one of a call that called others', async () => {
    const mesh = await rowOf('three hops with requests', 4, liar)
    await called(mesh, 0, { public: true, code: SUM })
    await mesh.world.clock.advance(3000)
    for (const one of mesh.row) expect(trustIn(one, mesh.hub.peerId)!.caught).toBeGreaterThan(0)
  })

  test('of a private call never leaves its home', async () => {
    const mesh = await rowOf('private', 2, liar)
    const spy = await (await scriptedPeer(mesh.world)).join(mesh.row[0]!)
    for (const code of [DOUBLE, SUM]) expect((await called(mesh, 0, { code })).disputes).not.toEqual([])
    await mesh.world.clock.advance(3000)
    expect(trustIn(mesh.row[0]!, mesh.hub.peerId)!.caught).toBeGreaterThan(1)
    expect(trustIn(mesh.row[1]!, mesh.hub.peerId)!.caught).toBe(0)
    expect(spy.all('proof')).toEqual([])
  })

  test('that is larger than a block stays there too', async () => {
    const mesh = await rowOf('large', 2, liar)
    const published = await publish(mesh.row[0]!, 'export default (x) => x.length')
    const request = { level: { level: 'self' as const }, public: true }
    await mesh.world.until(mesh.row[0]!.peer.call(requestOf(published, new Uint8Array(MIB), request)))
    await mesh.world.clock.advance(3000)
    expect(named(mesh.row[0]!, 'proof.kept')).toMatchObject([{ fields: { code: 'E_MESSAGE_LIMIT' } }])
    expect(trustIn(mesh.row[1]!, mesh.hub.peerId)!.caught).toBe(0)
  })

  test('has the receiver check again what it had taken on trust', async () => {
    let isLying = false
    const mesh = await rowOf('re-check', 2, { sandboxHost: (host) => sleeperHost(host, 0, () => isLying) })
    const victim = mesh.row[1]!
    const published = await publish(victim, DOUBLE)
    const ask = (x: number) =>
      mesh.world.until(victim.peer.call(requestOf(published, x, { level: { level: 'audit' } })))
    for (let x = 0; x < 50; x++) await ask(x)
    expect(trustIn(victim, mesh.hub.peerId)!.state).toBe('trusted')
    isLying = true
    for (let x = 100; x < 104; x++) await ask(x)
    const wrong = () => named(victim, 'call.corrected').length + named(victim, 'call.disputed').length
    await called(mesh, 0, { public: true })
    await mesh.world.clock.advance(5000)
    expect(named(victim, 'proof.accepted')).toHaveLength(1)
    expect(wrong()).toBe(4)
  })
})

/** What a scripted executor has signed for a public call of the first in the row. */
class Evidence {
  readonly #file: ReceiptFile
  readonly #signer: ScriptedPeer

  private constructor(file: ReceiptFile, signer: ScriptedPeer) {
    this.#file = file
    this.#signer = signer
  }

  /** `victim` deals with whoever signed it. */
  static async of(mesh: Row, victim: WorldPeer, isPublic = true): Promise<Evidence> {
    const file = await fileOf(mesh.world, await called(mesh, 0, { public: isPublic, level: 'none' }))
    return new Evidence(file, await (await scriptedPeer(mesh.world)).join(victim))
  }

  get file(): ReceiptFile {
    return this.#file
  }

  get executor(): string {
    return this.#signer.peerId
  }

  /** Of as many receipts, each of another attempt; wrong unless said otherwise. */
  async proofs(
    count: number,
    changes: Partial<Receipt> = {},
  ): Promise<{ frame: FrameOf<'proof'>; bytes: Uint8Array }[]> {
    const outcome = recordCid(crypto, wrongOutcome(43))
    const receipt = { ...receiptIn(this.#file), executor: this.executor, outcome, ...changes }
    const payloads = Array.from({ length: count }, (_, i) => Receipt.encode({ ...receipt, attempt: 1 + i }))
    const signed = await this.#signer.sign('receipt', payloads)
    return signed.map((one) => proofWith(this.#file, one))
  }
}

const proofWith = (file: ReceiptFile, receipt: Envelope, invocation = file.invocations[0]!) => {
  const bytes = ReceiptFile.encode({ ...file, receipts: [receipt], invocations: [invocation], verification: [] })
  return { frame: { t: 'proof' as const, receipt, invocation, file: rawCid(crypto, bytes) }, bytes }
}

/** A member that tells `to` of proofs, and serves their files. */
const teller = async (world: World, to: WorldPeer) => {
  const peer = await scriptedPeer(world)
  const files = new Map<string, Uint8Array>()
  peer.ports.network.handle(
    BLOCKS_PROTOCOL,
    (channel) =>
      channel.receive({
        frame: (encoded) => {
          const frame = BlockFrame.decode(encoded)
          if (frame.t !== 'want') return
          for (const cid of frame.cids) {
            const bytes = files.get(cid.toString())
            channel.send(BlockFrame.encode({ t: 'have', cids: bytes ? [cid] : [], missing: bytes ? [] : [cid] }))
            const chunk = 65_536
            for (let offset = 0; bytes && offset < bytes.length; offset += chunk)
              channel.send(
                BlockFrame.encode({
                  t: 'block',
                  cid,
                  size: bytes.length,
                  offset,
                  bytes: bytes.slice(offset, offset + chunk),
                }),
              )
          }
        },
        closed: () => {},
      }),
    { frameBytesMax: MIB },
  )
  await peer.join(to)
  const tell = ({ frame, bytes }: { frame: FrameOf<'proof'>; bytes: Uint8Array }) => {
    files.set(frame.file.toString(), bytes)
    peer.send(frame)
  }
  return { peer, tell }
}

describe('a flood of proofs', () => {
  test.each([
    [1, PROOFS_PER_SENDER_PER_MINUTE_MAX],
    [5, PROOFS_PER_MINUTE_MAX],
  ])(
    'of a hundred times the budget has as many run again as the budget says: %i senders, %i runs',
    async (senders, runsMax) => {
      let runs = 0
      // Each run takes longer than a proof may: it costs the most, and decides nothing.
      const slow: PeerSetup['sandboxHost'] = (host, clock) =>
        slowHost(host, clock, () => {
          runs++
          return 6000
        })
      const mesh = await rowOf(`flood of ${senders}`, 1, { sandboxHost: slow })
      const evidence = await Evidence.of(mesh, mesh.hub)
      const tellers: Awaited<ReturnType<typeof teller>>[] = []
      for (let i = 0; i < senders; i++) tellers.push(await teller(mesh.world, mesh.hub))
      const proofs = await evidence.proofs(100 * runsMax)
      runs = 0
      // One sender after another, so that what waits is no bound by itself.
      for (const [i, one] of proofs.entries()) {
        tellers[Math.floor((i * senders) / proofs.length)]!.tell(one)
        await mesh.world.clock.advance(55_000 / proofs.length)
      }
      expect(runs).toBe(runsMax)
      expect(tellers.every(({ peer }) => peer.closed === undefined)).toBe(true)
    },
  )
})

describe('whoever tells of a proof that proves nothing', () => {
  /** Tells of it, then of a true one: what comes of each. */
  const silencedBy = async (
    name: string,
    make: (evidence: Evidence, mesh: Row) => Promise<{ frame: FrameOf<'proof'>; bytes: Uint8Array }>,
    isPublic = true,
  ) => {
    const mesh = await rowOf(name, 1, {})
    const evidence = await Evidence.of(mesh, mesh.hub, isPublic)
    const { peer, tell } = await teller(mesh.world, mesh.hub)
    tell(await make(evidence, mesh))
    await mesh.world.clock.advance(1000)
    expect(named(mesh.hub, 'proof.refused')).toMatchObject([{ fields: { peer: peer.peerId } }])
    const [proof] = (await evidence.proofs(1)) as [Awaited<ReturnType<Evidence['proofs']>>[0]]
    tell(proof)
    await mesh.world.clock.advance(1000)
    expect(trustIn(mesh.hub, evidence.executor)!.caught).toBe(0)
    // Another who tells of it is believed, as far as it is true.
    const other = await teller(mesh.world, mesh.hub)
    other.tell(proof)
    await mesh.world.clock.advance(1000)
    expect(trustIn(mesh.hub, evidence.executor)!.caught).toBe(isPublic ? 1 : 0)
    return { mesh, peer }
  }
  type Made = (evidence: Evidence, mesh: Row) => Promise<{ frame: FrameOf<'proof'>; bytes: Uint8Array }>
  const one = async (evidence: Evidence, changes: Partial<Receipt> = {}) => (await evidence.proofs(1, changes))[0]!

  test.each<[string, Made]>([
    ['about a right receipt', (evidence) => one(evidence, { outcome: receiptIn(evidence.file).outcome })],
    [
      'that is not signed',
      async (evidence) => {
        const { frame } = await one(evidence)
        const signature = frame.receipt.signature.map((byte) => byte ^ 1)
        return proofWith(evidence.file, { ...frame.receipt, signature })
      },
    ],
    ['of another invocation', (evidence) => one(evidence, { invocation: recordCid(crypto, Uint8Array.of(1)) })],
    ['of a wrong receipt that has a checkpoint', (evidence) => one(evidence, { at: CHECKPOINT })],
    [
      'whose file is none',
      async (evidence) => {
        const { frame } = await one(evidence)
        return { frame: { ...frame, file: rawCid(crypto, Uint8Array.of(1)) }, bytes: Uint8Array.of(1) }
      },
    ],
    [
      'whose file is about another receipt',
      async (evidence) => {
        const [first, second] = (await evidence.proofs(2)) as [Awaited<ReturnType<Made>>, Awaited<ReturnType<Made>>]
        return { frame: { ...first.frame, file: second.frame.file }, bytes: second.bytes }
      },
    ],
    [
      'whose file lacks the input',
      async (evidence) => {
        const { frame } = await one(evidence)
        const file = { ...evidence.file, blocks: evidence.file.blocks.slice(0, 1) }
        return proofWith(file, frame.receipt)
      },
    ],
  ])('%s is silenced', async (name, make) => {
    await silencedBy(name, make)
  })

  test('of a private invocation is silenced', async () => {
    await silencedBy('told private', (evidence) => one(evidence), false)
  })

  test('is silent also after the one it told has started again, and is not accused of anything else', async () => {
    const { mesh, peer } = await silencedBy('remembered', (evidence) =>
      one(evidence, { outcome: receiptIn(evidence.file).outcome }),
    )
    expect(peer.closed).toBeUndefined()
    await mesh.world.clock.advance(6000)
    const standings = new Standings(mesh.hub.ports, (one) => ({ line: [one] }))
    await standings.load()
    expect([standings.isSilenced(peer.peerId), standings.isExpelled(peer.peerId)]).toEqual([true, false])
  })
})

test('slander: a pair that signs for each other convicts itself, whoever tells of it', async () => {
  const mesh = await rowOf('slander', 2, {})
  const honest = mesh.hub.peerId
  const file = await fileOf(mesh.world, await called(mesh, 0, { public: true, level: 'none' }))
  const [home, executor] = await Promise.all(
    [0, 1].map(async () => (await scriptedPeer(mesh.world)).join(mesh.row[0]!)),
  )
  const asked = { ...Invocation.decode(file.invocations[0]!.payload), invoker: home!.peerId, home: home!.peerId }
  const [invocation] = await home!.sign('invocation', [Invocation.encode(asked)])
  const cid = recordCid(crypto, invocation!.payload)
  const outcome = recordCid(crypto, wrongOutcome(43))
  const journal = { head: cid.multihash.digest, length: 0 }
  const lie = { ...receiptIn(file), invocation: cid, home: home!.peerId, outcome, journal }
  // In the honest executor's name; with a receipt that it gave to another; and in the pair's own.
  const inItsName = await executor!.sign('receipt', [Receipt.encode({ ...lie, executor: honest })])
  const own = await executor!.sign('receipt', [Receipt.encode({ ...lie, executor: executor!.peerId })])
  const attempts = [{ ...inItsName[0]!, signer: honest }, file.receipts[0]!, inItsName[0]!, own[0]!]
  for (const receipt of attempts) {
    const { tell } = await teller(mesh.world, mesh.row[0]!)
    tell(proofWith(file, receipt, invocation))
    tell(proofWith(file, receipt))
    await mesh.world.clock.advance(61_000)
  }
  for (const one of mesh.row) expect(trustIn(one, honest)).toMatchObject({ caught: 0 })
  expect(trustIn(mesh.row[0]!, executor!.peerId)!.caught).toBe(1)
})

describe('a home that signs two journals where there is one', () => {
  test('is found by its executor, refused, and told of over three hops', async () => {
    const adapt = (one: WorldMachine): WorldMachine => ({ ...one, ports: twoFacedHome(one.ports) })
    const mesh = await rowOf('two-faced', 3, LENDS_NOTHING, adapt)
    const executor = await mesh.world.add({})
    await mesh.world.until(executor.peer.join(mesh.hub.address))
    await mesh.world.until(executor.peer.join(mesh.row[0]!.address))
    await mesh.world.clock.advance(1000)
    const published = await publish(mesh.hub, SUM, { exports: ['default', 'part'], effects: ['call'] })
    const call = () => mesh.world.until(mesh.hub.peer.call(requestOf(published, 3)))
    await call()
    await mesh.world.clock.advance(3000)
    for (const one of [executor, ...mesh.row]) {
      const { peerId } = mesh.hub
      expect(named(one, 'peer.expelled')).toMatchObject([{ fields: { peer: peerId } }])
      expect(one.peer.status().neighbours.map(({ peer }) => peer)).not.toContain(peerId)
    }
    await expect(call()).rejects.toMatchObject({ code: 'E_NO_PEER' })
    await expect(mesh.world.until(mesh.hub.peer.join(executor.address))).rejects.toMatchObject({
      code: 'E_VERIFICATION_FAILED',
    })
  })

  test('is not, where the heads told of do not contradict each other, or are not its own: the teller is silenced', async () => {
    const mesh = await rowOf('no contradiction', 1, {})
    const home = await (await scriptedPeer(mesh.world)).join(mesh.row[0]!)
    const head = (byte: number, epoch = 0, by = home) => {
      const journal = { head: new Uint8Array(32).fill(byte), length: 2 }
      return by.sign('journal-head', [headBytes({ invocation: recordCid(crypto, Uint8Array.of(1)), epoch, journal })])
    }
    const [[first], [second], [other]] = await Promise.all([head(1), head(2), head(2, 1)])
    const [forged] = await head(2, 0, await scriptedPeer(mesh.world))
    for (const false_ of [other!, first!, { ...forged!, signer: home.peerId }, forged!]) {
      const { peer } = await teller(mesh.world, mesh.row[0]!)
      await peer.say({ t: 'contradiction', heads: [first!, false_] })
      await peer.say({ t: 'contradiction', heads: [first!, second!] })
      await mesh.world.clock.advance(100)
      expect(home.closed).toBeUndefined()
      expect(named(mesh.row[0]!, 'proof.refused').at(-1)).toMatchObject({ fields: { peer: peer.peerId } })
    }
    const { peer } = await teller(mesh.world, mesh.row[0]!)
    await peer.say({ t: 'contradiction', heads: [first!, second!] })
    await mesh.world.clock.advance(100)
    expect(home.closed).toBeDefined()
  })
})
