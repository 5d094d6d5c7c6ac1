/** What an executor asks of its peer, and tells it. */
import type { ErrorCode } from '../protocol/errors.ts'
import type { Outcome } from '../protocol/outcome.ts'
import type { Manifest, TaskTemplate } from '../protocol/records.ts'
import type { TwoHeads } from './journal-heads.ts'
import type { Neighbour } from './neighbours.ts'
import type { WorkItem } from './work.ts'

/** A refusal, with its reason in words for the invoker. */
export interface No {
  code: ErrorCode
  message: string
}

export interface Admission {
  /** Undefined: they are taken. */
  decide(neighbour: Neighbour, template: TaskTemplate, items: number, bytes: number): No | undefined
  /** The same of what its manifest tells, once that is here. */
  suits(template: TaskTemplate, manifest: Manifest): No | undefined
  /** What to tell the invoker with it. */
  explain(code: ErrorCode): string
  /** Neighbours that may have room. */
  better(invoker: string): string[]
}

export interface ExecutorEvents {
  /** Something was accepted or has ended. */
  changed(): void
  answered(item: WorkItem, outcome: Outcome): void
  /** Its invoker wants it no more, or has left; it was running. */
  cancelled(item: WorkItem): void
  /** Ended without an outcome. */
  dropped(item: WorkItem): void
  refused(neighbour: Neighbour, code: ErrorCode, message: string): void
  /** Its home has signed two journals where there is one. */
  twoHeads(heads: TwoHeads): void
}
