/** The backend that is a peer in this process. */

import { type CallResult, type CallWish, type Dispute, ensureLevel } from '../peer/calls.ts'
import { delegationSummaryOf } from '../peer/durable/delegation-rules.ts'
import type { DurableEnd } from '../peer/durable/durable.ts'
import type { MapResult } from '../peer/map.ts'
import type { Peer } from '../peer/peer.ts'
import { type FindBlock, fraudProofOf, receiptFileOf } from '../peer/receipt-file.ts'
import type { RemoteHomes } from '../peer/remote-homes.ts'
import { type CID, ensureCid } from '../protocol/cid.ts'
import { encodeCanonical } from '../protocol/codec.ts'
import { Outcome } from '../protocol/outcome.ts'
import { actsByNone } from './answer.ts'
import type { Backend, BackendDispute, BackendEnd, BackendMapItem, BackendOptions, BackendResult } from './backend.ts'

/** Functions whose names are kept; a program calls few. */
const FUNCTIONS_MAX = 256

/** Reads CIDs, each once: it takes longer than all else that a call costs here. */
const createCidReader = () => {
  const known = new Map<string, CID>()
  return (text: string): CID => {
    const found = known.get(text)
    if (found) return found
    const cid = ensureCid(text)
    if (known.size >= FUNCTIONS_MAX) known.clear()
    known.set(text, cid)
    return cid
  }
}

/** All of a request but its input. */
const requestOf = (
  functionCid: CID,
  {
    export: exportName,
    verify,
    limits,
    timeoutMs,
    remote,
    public: isPublic,
    grants,
    signal,
    onWait,
  }: BackendOptions & { export: string },
): Omit<CallWish, 'input'> => ({
  function: functionCid,
  export: exportName,
  level: verify === undefined ? undefined : ensureLevel(verify),
  limits,
  timeoutMs,
  remote,
  public: isPublic,
  grants,
  signal,
  depth: 0,
  onWait,
})

type Proofs = ReadonlyMap<Dispute, Uint8Array>

const NO_PROOFS: Proofs = new Map()

/** One for each liar that is not in `caught` yet. */
const proofsOf = async (disputes: readonly Dispute[], caught: Set<string>, block: FindBlock): Promise<Proofs> => {
  const proofs = new Map<Dispute, Uint8Array>()
  for (const dispute of disputes) {
    if (caught.has(dispute.liar)) continue
    caught.add(dispute.liar)
    proofs.set(dispute, await fraudProofOf(dispute, block))
  }
  return proofs
}

const disputeOf = ({ liar, receipts: [wrong, right] }: Dispute, proof: Uint8Array | undefined): BackendDispute => ({
  liar,
  wrong: encodeCanonical(wrong),
  right: encodeCanonical(right),
  ...(proof && { proof }),
})

const resultOf = (result: CallResult, proofs: Proofs): BackendResult => ({
  outcome: result.outcome,
  executors: result.performed.map((one) => one.executor),
  local: result.local,
  memo: result.memo,
  verification: result.verification,
  executions: result.executions,
  recovered: result.recovered,
  disputes: result.disputes.map((dispute) => disputeOf(dispute, proofs.get(dispute))),
})

const itemOf = (one: MapResult, proofs: Proofs): BackendMapItem =>
  'result' in one
    ? { index: one.index, result: resultOf(one.result, proofs) }
    : { index: one.index, error: { code: one.error.code, message: one.error.message } }

const endOf = ({ state, outcome, error }: DurableEnd): BackendEnd => ({
  state,
  outcome: outcome && Outcome.decode(outcome),
  error: error && { code: error.code, message: error.message },
})

const noDelegation = (): never => {
  throw actsByNone()
}

/** `close` stops the peer. `homes`: where durable invocations are kept for one that keeps none. */
export const createPeerBackend = (peer: Peer, homes?: RemoteHomes): Backend => {
  const durable = () => homes ?? peer.durable
  const readCid = createCidReader()
  const block: FindBlock = (cid) => peer.block(cid)
  return {
    publish: async (bundle) => {
      const { cid, manifest } = await peer.publish(bundle)
      return { cid: cid.toString(), manifest }
    },
    manifest: (functionCid) => peer.manifest(readCid(functionCid)),
    call: async (call) => {
      const result = await peer.call({
        ...requestOf(readCid(call.function), call),
        input: call.input,
        fresh: call.receipt,
        traceTicks: call.traceTicks,
      })
      if (!call.receipt) return resultOf(result, NO_PROOFS)
      const proofs = await proofsOf(result.disputes, new Set(), block)
      return { ...resultOf(result, proofs), receiptFile: await receiptFileOf(result, block) }
    },
    map: async function* (map) {
      const request = requestOf(readCid(map.function), map)
      const caught = new Set<string>()
      for await (const results of peer.map(request, map.inputs, map.unordered)) {
        const disputes = results.flatMap((one) => ('result' in one ? one.result.disputes : []))
        const proofs = disputes.length > 0 ? await proofsOf(disputes, caught, block) : NO_PROOFS
        yield results.map((one) => itemOf(one, proofs))
      }
    },
    durable: {
      start: async (call) =>
        durable().start({ ...requestOf(readCid(call.function), { ...call, signal: undefined }), input: call.input }),
      list: (all) => peer.durable.list(all),
      end: async (id) => {
        const end = await durable().end(id)
        return end && endOf(end)
      },
      wait: async (id, signal) => endOf(await durable().wait(id, signal)),
      cancel: async (id) => durable().cancel(id),
      revoke: async (id) => (homes ?? noDelegation()).revoke(id),
      renew: async (id) => (homes ?? noDelegation()).renew(id),
      delegations: async () => {
        if (homes) return homes.delegations()
        const held = await peer.durable.delegations.standing(peer.durable.delegated())
        return { standing: held.map((one) => delegationSummaryOf(one, peer.peerId)), missing: [] }
      },
      recorded: (id) => peer.durable.recorded(id),
    },
    close: () => {
      homes?.close()
      return peer.stop()
    },
  }
}
