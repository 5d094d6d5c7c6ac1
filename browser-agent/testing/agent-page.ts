/** In a page: its agent and its calls, for questions from a test. */

import { type PageAgent, startPageAgent } from '../agent.ts'
import type { AgentView, LendingLimits } from '../agent-view.ts'
import { connect, fn, type Mesh } from '../index.ts'

const assets = { workerUrl: '/worker.js', engineUrl: '/engine.wasm', tierUrl: '/tier.js' }

let agent: PageAgent
let mesh: Mesh
const views: AgentView[] = []

/** A test is no person who looks at a page. */
const ALWAYS: Partial<LendingLimits> = { when: 'always', cpuShare: 1, cores: 1, onBattery: true, onMetered: true }

const lending = {
  start: async (ticket: string, accept: string[], limits: Partial<LendingLimits> = {}) => {
    agent = await startPageAgent({ ...assets, mesh: ticket, accept, limits: { ...ALWAYS, ...limits } })
    agent.subscribe((view) => views.push(view))
    return agent.view()
  },
  view: () => agent.view(),
  /** The states that it went through, each once. */
  states: () => views.map(({ state }) => state).filter((state, i, all) => state !== all[i - 1]),
  limit: (limits: Partial<LendingLimits>) => agent.limit(limits),
  pause: () => agent.pause(),
  resume: () => agent.resume(),
  /** How long it took until it was said to be over, and until it was, in ms. */
  stop: async () => {
    const from = performance.now()
    const stopped = agent.stop()
    const saidMs = performance.now() - from
    const { state, running } = agent.view()
    await stopped
    return { saidMs, tookMs: performance.now() - from, state, running: running.length }
  },
  forget: () => agent.forget(),
}

const calling = {
  connect: async (join: string[]) => {
    mesh = await connect({ join, ...assets })
  },
  call: (cid: string, input: unknown, options: object = {}) => mesh.call(fn(cid), input as never, options),
  map: async (cid: string, inputs: unknown[], options: object = {}) => {
    const values: unknown[] = []
    for await (const item of mesh.map(fn(cid), inputs as never[], options))
      values.push(item.ok ? item.value : item.error)
    return values
  },
  receipt: async (cid: string, input: unknown, options: object = {}) => {
    const { value, receipt } = await mesh.call(fn(cid), input as never, { ...options, receipt: true })
    const { file, ...rest } = receipt
    return { value, fileBytes: file.length, ...rest }
  },
  close: () => mesh.close(),
}

Object.assign(globalThis, { lending, calling })
