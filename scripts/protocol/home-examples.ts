/** Delegations, and what callers and homes say to each other: what the vectors hold of them. */
import { Delegation } from '../../protocol/delegation.ts'
import { type Envelope, signBatch } from '../../protocol/envelope.ts'
import type { PeerFrame } from '../../protocol/frames.ts'
import type { HomeFrame } from '../../protocol/home-frames.ts'
import { encodeValue } from '../../protocol/values.ts'
import { alice, bob, EXPIRES_MS, filled, mesh, peerFrameExamples, receipt, template, utf8 } from './examples.ts'
import { crypto } from './test-keys.ts'

const delegation: Delegation = {
  ...{ v: 1, mesh, home: bob.id, function: template.function, effects: ['get', 'put'], fuel: 1_000_000_000 },
  ...{ not_before_ms: EXPIRES_MS - 3_600_000, expires_ms: EXPIRES_MS, nonce: filled(16, 4) },
}
const { function: _, ...anyFunction } = delegation
export const delegationExamples: Delegation[] = [
  delegation,
  { ...anyFunction, effects: [] },
  { ...delegation, in: ['orders', 'stock'] },
  { ...delegation, in: [] },
]
const [signedDelegation] = (await signBatch(
  crypto,
  alice.signer,
  alice.id,
  'delegation',
  delegationExamples.map((one) => Delegation.encode(one)),
)) as [Envelope, ...Envelope[]]
const kept = receipt.invocation

/** Items that a home sends for a caller. */
export const delegatedExamples: PeerFrame[] = ['invoke', 'tied'].map((type) => {
  const plain = peerFrameExamples.find(({ t }) => t === type)
  return { ...plain, delegation: signedDelegation } as PeerFrame
})

export const homeFrameExamples: HomeFrame[] = [
  { t: 'offer', id: 1 },
  {
    ...{ t: 'begin', id: 2, delegation: signedDelegation, function: template.function, export: 'default' },
    ...{ input: encodeValue({ x: 1 }), level: 'quorum:2', limits: [template.environment.limits] },
    ...{ grants: encodeValue({ DB: { state: 'shop' } }), timeout_ms: 60_000, remote: true },
  },
  {
    ...{ t: 'begin', id: 3, delegation: signedDelegation, function: template.function, export: 'default' },
    ...{ input: encodeValue(null), level: '', limits: [], grants: encodeValue({}), timeout_ms: 1, remote: false },
  },
  { t: 'renew', id: 4, invocation: kept, delegation: signedDelegation },
  { t: 'revoke', id: 5, invocation: kept },
  { t: 'look', id: 6, invocation: kept },
  { t: 'cancel', id: 7, invocation: kept },
  { t: 'done', id: 7, is: true },
  { t: 'begun', id: 2, invocation: kept },
  { t: 'stands', id: 6, state: 'running', outcome: [], failure: [] },
  {
    ...{ t: 'stands', id: 6, state: 'running', outcome: [] },
    failure: [{ code: 'E_NO_HOME', message: 'the delegation of its caller has expired' }],
  },
  { t: 'stands', id: 6, state: 'done', outcome: [utf8('outcome')], failure: [] },
  { t: 'standing', id: 8, of: [] },
  { t: 'standing', id: 9, of: [kept] },
  { t: 'held', id: 8, delegations: [] },
  {
    ...{ t: 'held', id: 9 },
    delegations: [
      { invocation: kept, delegation: signedDelegation, revoked: true, deadline_ms: EXPIRES_MS, running: 2 },
    ],
  },
  { t: 'no', id: 1, code: 'E_NO_HOME', message: 'a home for machines of its owner alone' },
]
