/** What the control is to be looked at in: an agent's views that tests made up, and what a visitor has pressed by then. */
import type { AgentView, PauseReason } from '../../agent-view.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const CALLER = '12D3KooWEYbqBJmRcjtc6ucp9pQkAdgUzVxRTJfWfZDcHNG3LxHF'
const OTHER = '12D3KooWGRUWb7HLBpPXSXQqz7sDqQGjDgHHyUMYUPZrXUQ8i7pY'
const OWN = '12D3KooWQYV9dGMFoRzNStwpXztXaBUjtPqi6aU76ZgUriHhKust'

const view = (changed: Partial<AgentView> = {}): AgentView => ({
  state: 'lending',
  reason: undefined,
  failure: undefined,
  peer: OWN,
  meshName: 'open-map',
  accept: [CALLER],
  sinceMs: Date.now() - 47 * MINUTE_MS,
  running: [],
  neighbours: 3,
  today: { cpuMs: 38 * MINUTE_MS, bytes: 14_200_000, tasks: 1204 },
  limits: {
    ...{ cpuShare: 0.5, cores: 4, when: 'hidden-or-idle', onBattery: false, onMetered: false },
    ...{ cpuMsPerDay: 4 * HOUR_MS, bytesPerDay: 200_000_000 },
  },
  unkept: undefined,
  ...changed,
})

const task = (name: string, exportName: string, forMs: number): AgentView['running'][number] => ({
  ...{ functionCid: 'bafyreigdmqpykrgxyaxtlafqpqhzrb7qnh7wyzmyxgr7shlxebx5yvazwq', exportName, invoker: CALLER },
  ...(name && { name }),
  sinceMs: Date.now() - forMs,
})

const BUSY = view({ running: [task('render', 'tile', 2300), task('', 'default', 95_000)] })

export interface State {
  view: AgentView
  hiddenBySite?: boolean
  /** Buttons that were pressed, by selector, one after another. */
  pressed?: string[]
  /** It is over, with these words. */
  end?: string
}

const paused = (reason: PauseReason): State => ({ view: view({ state: 'paused', reason }) })

const REASONS: PauseReason[] = [
  ...(['in-use', 'battery', 'power-saver', 'data-saver', 'metered', 'pressure'] as const),
  ...(['cpu-cap', 'data-cap', 'another-tab', 'frozen', 'owner', 'offline'] as const),
]

export const STATES: Record<string, State> = {
  joining: { view: view({ state: 'joining', neighbours: 0, meshName: '' }) },
  'joining again': {
    view: view({
      ...{ state: 'joining', neighbours: 0 },
      failure: { code: 'E_NO_PEER', message: 'no agent of the mesh answers; this is tried again' },
    }),
  },
  lending: { view: BUSY },
  'for several': { view: view({ accept: [CALLER, OTHER, OWN] }) },
  ...Object.fromEntries(REASONS.map((reason) => [`paused: ${reason}`, paused(reason)])),
  'paused: hidden by the site': { view: view(), hiddenBySite: true },
  failed: {
    view: view({
      ...{ state: 'failed', neighbours: 0 },
      failure: { code: 'E_TICKET', message: 'the ticket in this page has expired; the owner of the site can renew it' },
    }),
  },
  'panel with nothing to do': {
    view: view({ neighbours: 1, today: { cpuMs: 0, bytes: 900, tasks: 0 } }),
    pressed: ['.more'],
  },
  panel: {
    view: { ...BUSY, today: { cpuMs: 98 * MINUTE_MS, bytes: 174_000_000, tasks: 18_204 } },
    pressed: ['.more'],
  },
  'panel: a choice that is not kept': {
    view: {
      ...BUSY,
      unkept: {
        code: 'E_STORAGE',
        message: 'this browser could not write (quota exceeded); free some space, or allow this site to keep data',
      },
    },
    pressed: ['.more'],
  },
  'panel: forget?': { view: view(), pressed: ['.more', '.forget'] },
  stopped: { view: view(), end: 'Stopped. Nothing runs.' },
}
