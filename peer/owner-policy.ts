/** What the owner of a machine lends, and to whom. */
import type { ErrorCode } from '../protocol/errors.ts'
import {
  type AdmissionView,
  overQuota,
  QUEUE_BYTES_MAX,
  QUEUE_ITEMS_MAX,
  QUOTA_DEFAULT,
  type Quota,
  quotaWaitMs,
} from './admission.ts'
import type { Neighbour } from './neighbours.ts'

/** `self`: machines of the same owner. `mesh`: its members. `anyone`: whoever asks. Else PeerIds. */
export type Accept = string

export interface OwnerPolicy {
  accept: readonly Accept[]
  /** PeerIds with which this peer has no dealings, whatever `accept` says. */
  deny: readonly string[]
  /** Sandboxes that run at once for others; 0: this peer does not lend. */
  slots: number
  /** The most that one task may take. */
  memoryBytes: number
  /** The most that one invoker may have. */
  quota: Quota
}

/** Of a peer that only calls others. */
export const LENDS_NOTHING: OwnerPolicy = { accept: [], deny: [], slots: 0, memoryBytes: 0, quota: QUOTA_DEFAULT }

/** Who asks, as the handshake showed. */
export type Asking = Pick<Neighbour, 'peer' | 'member' | 'own'>

export const accepts = (policy: OwnerPolicy, { peer, member, own }: Asking): boolean =>
  policy.slots > 0 &&
  !policy.deny.includes(peer) &&
  policy.accept.some((rule) => {
    if (rule === 'anyone') return true
    if (rule === 'mesh') return member
    if (rule === 'self') return own
    return rule === peer
  })

/** The reason of a refusal in words that its invoker can act on. */
export const explainRefusal = (code: ErrorCode, view: Pick<AdmissionView, 'memoryBytesLent' | 'slots'>): string => {
  switch (code) {
    case 'E_STOPPING':
      return 'the agent is shutting down; ask another'
    case 'E_PAUSED':
      return 'the owner has paused this machine; ask another'
    case 'E_NOT_ACCEPTED':
      return 'the owner does not accept work from this peer; ask them for --accept with your PeerId'
    case 'E_ENGINE_UNAVAILABLE':
      return 'this agent does not carry the engine of the task; use the same version of wayside'
    case 'E_NO_MEMORY':
      return `the owner lends ${Math.floor(view.memoryBytesLent / 1_048_576)} MiB a task; ask for less`
    default:
      return `all ${view.slots} slots are taken and the queue is full; ask another or wait`
  }
}

const whenDone = ({ heldItems }: AdmissionView): string =>
  `${heldItems > 0 ? 'come back when some are done' : 'send less at once'}, or ask another`

/** Which quota was met, and when to come back. */
export const explainQuota = (view: AdmissionView): string => {
  const { items, fuelPerMinute, bytesPerMinute, queueShare } = view.quota
  const waitMs = quotaWaitMs(view)
  const later = waitMs === Number.POSITIVE_INFINITY ? 'send less at once' : `come back in ${Math.ceil(waitMs / 1000)} s`
  switch (overQuota(view)) {
    case 'items':
      return `you have ${view.heldItems} tasks here and ask for ${view.items}, and the owner lends one peer ${items} at once; ${whenDone(view)}`
    case 'fuelPerMinute':
      return `you have used the ${fuelPerMinute} fuel a minute that the owner lends one peer; ${later}, or ask another`
    case 'bytesPerMinute':
      return `this passes the ${bytesPerMinute} bytes a minute of inputs and results that the owner lends one peer; ${later}, or ask another`
    default: {
      const [places, bytes] = [QUEUE_ITEMS_MAX, QUEUE_BYTES_MAX].map((all) => Math.floor(queueShare * all))
      return `others asked within a minute, and one peer may then have ${places} places and ${bytes} bytes of the queue; you have ${view.heldItems} and ${view.heldBytes}, and ask for ${view.items} and ${view.bytes}; ${whenDone(view)}`
    }
  }
}
