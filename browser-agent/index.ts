/** `wayside/browser`: a page as a peer. */
export type { AgentView, LendingLimits, PauseReason, RunningTask } from './agent-view.ts'
