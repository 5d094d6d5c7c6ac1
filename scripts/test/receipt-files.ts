/** Receipt files as calls in a world leave them, and checks of them as somebody makes them who has nothing else. */
import { onTestFinished } from 'vitest'
import { type CallResult, type Dispute, ensureLevel } from '../../peer/calls.ts'
import { fraudProofOf, receiptFileOf } from '../../peer/receipt-file.ts'
import { openRecording, type Recording, type ReplayOptions, replay } from '../../peer/replay.ts'
import { type CheckedReceipt, verifyReceiptFile } from '../../peer/verify-file.ts'
import { type Envelope, type SignedKind, signBatch } from '../../protocol/envelope.ts'
import { peerIdFromPublicKey } from '../../protocol/identity.ts'
import { Outcome } from '../../protocol/outcome.ts'
import { Receipt, ReceiptFile } from '../../protocol/records.ts'
import { ENGINES } from '../../sandbox/engines.ts'
import { createSandboxPool } from '../../sandbox/pool.ts'
import { lyingHost } from '../../simulations/adversaries.ts'
import { FakeClock } from '../../simulations/clock.ts'
import { createInlineSandboxHost } from '../../simulations/sandbox-host.ts'
import type { PeerSetup, World, WorldPeer } from '../../simulations/world.ts'
import { outcomeOf } from './scripted-peer.ts'
import { randomFor } from './seed.ts'
import { machine, publish, requestOf, worldFor } from './world.ts'

const { crypto } = machine
const DOUBLE = 'export default (x) => 2 * x'
/** 20 x + 10, by two requests. */
export const SUM = `
  export default async (x, env, ctx) => (await ctx.call('#part', x)) + (await ctx.call('#part', x + 1))
  export const part = (x) => 10 * x
`
export const liar: PeerSetup = { sandboxHost: lyingHost }

/** Peer 0 calls and lends nothing. */
export const callerAnd = (name: string, ...setups: PeerSetup[]): Promise<World> =>
  worldFor(name, { peers: 1 + setups.length, setup: (i) => setups[i - 1] ?? { policy: { slots: 0 } } })

/** Peer 0 has `input` doubled, or performs another function. */
export const callAt = async (world: World, level: string, input = 21, code = DOUBLE): Promise<CallResult> => {
  const [caller] = world.peers as [WorldPeer]
  const published = await publish(caller, code, code === SUM ? { exports: ['default', 'part'], effects: ['call'] } : {})
  return world.until(caller.peer.call(requestOf(published, input, { level: ensureLevel(level) })))
}

export const fileOf = async (world: World, result: CallResult): Promise<ReceiptFile> =>
  ReceiptFile.decode(await world.until(receiptFileOf(result, (cid) => world.peers[0]!.peer.block(cid))))

export const proofOf = async (world: World, dispute: Dispute): Promise<ReceiptFile> =>
  ReceiptFile.decode(await world.until(fraudProofOf(dispute, (cid) => world.peers[0]!.peer.block(cid))))

/** A machine that was on no mesh and has nothing but the file. */
export const elsewhere = ({ sandboxHost = (host) => host }: Pick<PeerSetup, 'sandboxHost'> = {}) => {
  const clock = new FakeClock()
  const host = sandboxHost(createInlineSandboxHost(clock, machine), clock)
  const ports = { clock, sandboxHost: host, log: { event: () => {} } }
  const pool = createSandboxPool(ports, { slots: 1, idleMs: 60_000 })
  onTestFinished(() => pool.stop())
  const verify = (bytes: Uint8Array, engines = ENGINES) =>
    verifyReceiptFile({ crypto }, { pool, engines, timeoutMs: 60_000 }, bytes)
  const replayed = (recording: Recording, options: ReplayOptions = {}) =>
    replay({ ...ports, crypto }, { pool, engines: ENGINES, timeoutMs: 60_000 }, recording, options)
  const replayFile = async (bytes: Uint8Array, options?: ReplayOptions, engines = ENGINES) =>
    replayed(await openRecording(crypto, engines, bytes), options)
  return { clock, verify, replay: replayFile, replayed }
}

export const verify = async (file: ReceiptFile, engines?: readonly string[]): Promise<CheckedReceipt[]> =>
  (await elsewhere().verify(ReceiptFile.encode(file), engines)).receipts

/** The verdict; with the code, where a receipt is unusable. */
export const verdictOf = (checked: CheckedReceipt): string =>
  checked.verdict === 'unusable' ? `${checked.verdict} ${checked.code}` : checked.verdict

export const verdictsOf = async (file: ReceiptFile): Promise<string[]> => (await verify(file)).map(verdictOf)

export const receiptIn = (file: ReceiptFile, i = 0): Receipt => Receipt.decode(file.receipts[i]!.payload)

export interface Someone {
  peerId: string
  sign(kind: SignedKind, payload: Uint8Array): Promise<Envelope>
}

/** A key of somebody who was never on the mesh. */
export const someone = (name: string): Someone => {
  const signer = machine.createSigner(randomFor(name).bytes(32))
  const peerId = peerIdFromPublicKey(signer.publicKey)
  const sign: Someone['sign'] = async (kind, payload) =>
    (await signBatch(crypto, signer, peerId, kind, [payload]))[0] as Envelope
  return { peerId, sign }
}

export const wrongOutcome = (value: number): Uint8Array => Outcome.encode(outcomeOf(value))
