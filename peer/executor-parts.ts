/** What an executor asks of its peer, and tells it. */
import type { Delegation } from '../protocol/delegation.ts'
import type { Envelope } from '../protocol/envelope.ts'
import type { ErrorCode } from '../protocol/errors.ts'
import type { Outcome } from '../protocol/outcome.ts'
import type { Manifest, TaskTemplate } from '../protocol/records.ts'
import type { TwoHeads } from './journal-heads.ts'
import type { Neighbour } from './neighbours.ts'
import type { Asking } from './owner-policy.ts'
import type { WorkItem } from './work.ts'

/** A refusal, with its reason in words for the invoker. */
export interface No {
  code: ErrorCode
  message: string
}

/** For whom a neighbour asks, and by which word of that one, if it is not itself; `no`: why that does not count. */
export interface Acting {
  asking: Asking
  /** As whom it is counted. */
  party: string
  delegation?: Delegation
  no?: No
}

export interface Admission {
  /** Throws MeshError E_SIGNATURE or E_MESSAGE for what is no delegation. */
  acting(neighbour: Neighbour, signed: Envelope, template: TaskTemplate): Promise<Acting>
  /** Undefined: they are taken. */
  decide(acting: Acting, template: TaskTemplate, items: number, bytes: number): No | undefined
  /** The same of what its manifest tells, once that is here. */
  suits(template: TaskTemplate, manifest: Manifest, delegation?: Delegation): No | undefined
  /** What to tell the invoker with it. */
  explain(code: ErrorCode): string
  /** How many runs of its party have their turn together, while others wait. */
  weight(item: WorkItem): number
  /** Neighbours that may have room. */
  better(invoker: string): string[]
}

export interface ExecutorEvents {
  /** Something was accepted or has ended. */
  changed(): void
  /** `outcomeBytes`: how many it has. */
  answered(item: WorkItem, outcome: Outcome, outcomeBytes: number): void
  /** Its invoker wants it no more, or has left; it was running. */
  cancelled(item: WorkItem): void
  /** Ended without an outcome. */
  dropped(item: WorkItem): void
  /** `peer`: for whom. */
  refused(peer: string, code: ErrorCode, message: string): void
  /** Its home has signed two journals where there is one. */
  twoHeads(heads: TwoHeads): void
}
