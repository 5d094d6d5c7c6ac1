/** The backend that is a peer in this process. */

import { type CallRequest, type CallResult, ensureLevel } from '../peer/calls.ts'
import type { MapResult } from '../peer/map.ts'
import type { Peer } from '../peer/peer.ts'
import { receiptFileOf } from '../peer/receipt-file.ts'
import { type CID, ensureCid } from '../protocol/cid.ts'
import { encodeCanonical } from '../protocol/codec.ts'
import type { Backend, BackendMapItem, BackendOptions, BackendResult } from './backend.ts'

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
  { export: exportName, verify, limits, timeoutMs, remote, signal, onWait }: BackendOptions & { export: string },
): Omit<CallRequest, 'input'> => ({
  function: functionCid,
  export: exportName,
  level: ensureLevel(verify),
  limits,
  timeoutMs,
  remote,
  signal,
  depth: 0,
  onWait,
})

const resultOf = (result: CallResult): BackendResult => ({
  outcome: result.outcome,
  executors: result.performed.map((one) => one.executor),
  local: result.local,
  memo: result.memo,
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
export const createPeerBackend = (peer: Peer): Backend => {
  const readCid = createCidReader()
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
      })
      const receiptFile = call.receipt ? await receiptFileOf(result, (cid) => peer.block(cid)) : undefined
      return { ...resultOf(result), receiptFile }
    },
    map: async function* (map) {
      const request = requestOf(readCid(map.function), map)
      for await (const results of peer.map(request, map.inputs, map.unordered)) yield results.map(itemOf)
    },
    close: () => peer.stop(),
  }
}
