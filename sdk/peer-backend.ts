/** The backend that is a peer in this process. */

import { type CallRequest, type CallResult, ensureLevel } from '../peer/calls.ts'
import type { Peer } from '../peer/peer.ts'
import { receiptFileOf } from '../peer/receipt-file.ts'
import { ensureCid } from '../protocol/cid.ts'
import { encodeCanonical } from '../protocol/codec.ts'
import type { Backend, BackendOptions, BackendResult } from './backend.ts'

const requestOf = (
  functionCid: string,
  exportName: string,
  input: Uint8Array,
  options: BackendOptions,
): CallRequest => ({
  function: ensureCid(functionCid),
  export: exportName,
  input,
  level: ensureLevel(options.verify),
  limits: options.limits,
  timeoutMs: options.timeoutMs,
  remote: options.remote,
  signal: options.signal,
  depth: 0,
  onWait: options.onWait,
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

/** `close` stops the peer. */
export const createPeerBackend = (peer: Peer): Backend => ({
  publish: async (bundle) => {
    const { cid, manifest } = await peer.publish(bundle)
    return { cid: cid.toString(), manifest }
  },
  manifest: (functionCid) => peer.manifest(ensureCid(functionCid)),
  call: async (call) => {
    const result = await peer.call(requestOf(call.function, call.export, call.input, call))
    const receiptFile = call.receipt ? await receiptFileOf(result, (cid) => peer.block(cid)) : undefined
    return { ...resultOf(result), ...(receiptFile ? { receiptFile } : {}) }
  },
  map: async function* (map) {
    async function* requests() {
      for await (const input of map.inputs) yield requestOf(map.function, map.export, input, map)
    }
    for await (const one of peer.map(ensureCid(map.function), requests(), map.unordered)) {
      if ('result' in one) yield { index: one.index, result: resultOf(one.result) }
      else yield { index: one.index, error: { code: one.error.code, message: one.error.message } }
    }
  },
  close: () => peer.stop(),
})
