/** What the owner of a machine lends, and to whom. */
import type { ErrorCode } from '../protocol/errors.ts'
import type { AdmissionView } from './admission.ts'

/** `self`: nobody but this peer. `mesh`: its members. `anyone`: whoever asks. Else PeerIds. */
export type Accept = string

export interface OwnerPolicy {
  accept: readonly Accept[]
  /** Sandboxes that run at once for others; 0: this peer does not lend. */
  slots: number
  /** The most that one task may take. */
  memoryBytes: number
}

export const accepts = (policy: OwnerPolicy, peer: string, member: boolean): boolean =>
  policy.slots > 0 &&
  policy.accept.some((rule) => {
    if (rule === 'anyone') return true
    if (rule === 'mesh') return member
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
