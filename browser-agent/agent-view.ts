/** What a lending page shows of itself: plain data, whole at every change. The agent makes it, the control draws it. */

/** What the visitor lends. */
export interface LendingLimits {
  /** Of each lent core, 0.05 to 1. */
  cpuShare: number
  /** Sandboxes at work at once. */
  cores: number
  when: 'always' | 'hidden-or-idle'
  onBattery: boolean
  onMetered: boolean
  cpuMsPerDay: number
  bytesPerDay: number
}

/** Why nothing is run at present. */
export type PauseReason =
  | 'in-use'
  | 'battery'
  | 'power-saver'
  | 'data-saver'
  | 'metered'
  | 'pressure'
  | 'cpu-cap'
  | 'data-cap'
  | 'another-tab'
  | 'frozen'
  | 'owner'
  | 'offline'

export interface RunningTask {
  functionCid: string
  /** The one in its manifest. */
  name?: string
  exportName: string
  /** PeerId of who asked for it. */
  invoker: string
  /** Wall-clock instant of its start, in ms since 1970. */
  sinceMs: number
}

export interface AgentView {
  state: 'joining' | 'lending' | 'paused' | 'failed' | 'stopped'
  /** Of `paused`. */
  reason: PauseReason | undefined
  /** Of `failed`, and of a join that is tried again: in plain words. */
  failure: { code: string; message: string } | undefined
  /** Own PeerId. */
  peer: string
  meshName: string
  /** PeerIds whose work is run; or `mesh`, `self`. */
  accept: readonly string[]
  /** Wall-clock instant at which the agent started, in ms since 1970. */
  sinceMs: number
  running: readonly RunningTask[]
  neighbours: number
  /** Since midnight, in the visitor's time zone. */
  today: { cpuMs: number; bytes: number; tasks: number }
  limits: LendingLimits
  /** Why these limits hold only until this page is closed: they could not be kept. */
  unkept: { code: string; message: string } | undefined
}
