/** The backend that is a peer in this process. */

import { type CallRequest, type CallResult, ensureLevel } from '../peer/calls.ts'
import type { MapResult } from '../peer/map.ts'
import type { Peer } from '../peer/peer.ts'
import { receiptFileOf } from '../peer/receipt-file.ts'
import { ensureCid } from '../protocol/cid.ts'
import { encodeCanonical } from '../protocol/codec.ts'
import type { Backend, BackendCall, BackendMapItem, BackendResult } from './backend.ts'

/** All of a request but its input. */
const requestOf = (wanted: Omit<BackendCall, 'input' | 'receipt'>): Omit<CallRequest, 'input'> => ({
  function: ensureCid(wanted.function),
  export: wanted.export,
  level: ensureLevel(wanted.verify),
  limits: wanted.limits,
  timeoutMs: wanted.timeoutMs,
  remote: wanted.remote,
  signal: wanted.signal,
  depth: 0,
  onWait: wanted.onWait,
})

const resultOf = (result: CallResult): BackendResult => ({
  outcome: result.outcome,
  executors: result.performed.map((one) => one.executor),
  local: result.local,
  executions: result.executions,
  recovered: result.recovered,
  disputes: result.disputes.map(({ liar, receipts: [wrong, right] }) => ({
    liar,
    wrong: encodeCanonical(wrong),
    right: encodeCanonical(right),
  })),
})

const itemOf = (one: MapResult): BackendMapItem =>
  'result' in one
    ? { index: one.index, result: resultOf(one.result) }
    : { index: one.index, error: { code: one.error.code, message: one.error.message } }

/** `close` stops the peer. */
export const createPeerBackend = (peer: Peer): Backend => ({
  publish: async (bundle) => {
    const { cid, manifest } = await peer.publish(bundle)
    return { cid: cid.toString(), manifest }
  },
  manifest: (functionCid) => peer.manifest(ensureCid(functionCid)),
  call: async (call) => {
    const result = await peer.call({ ...requestOf(call), input: call.input })
    const receiptFile = call.receipt ? await receiptFileOf(result, (cid) => peer.block(cid)) : undefined
    return { ...resultOf(result), ...(receiptFile ? { receiptFile } : {}) }
  },
  map: async function* (map) {
    for await (const results of peer.map(requestOf(map), map.inputs, map.unordered)) yield results.map(itemOf)
  },
  close: () => peer.stop(),
})
