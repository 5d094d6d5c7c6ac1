/** A page that animates, as pages do, and lends if it is told to. */
import { type PageAgent, startPageAgent } from '../browser-agent/agent.ts'

/** What it computes for each frame, ms: an even share of the 16 that a frame has. */
const FRAME_WORK_MS = 4
const DOTS = 200

const canvas = document.createElement('canvas')
canvas.width = 600
canvas.height = 400
document.body.append(canvas)
const context = canvas.getContext('2d') as CanvasRenderingContext2D

let frames = 0
const draw = (atMs: number) => {
  const endMs = performance.now() + FRAME_WORK_MS
  context.clearRect(0, 0, canvas.width, canvas.height)
  for (let i = 0; i < DOTS || performance.now() < endMs; i++) {
    const angle = atMs / 1000 + i
    context.fillRect(300 + 150 * Math.sin(angle), 200 + 150 * Math.cos(1.3 * angle), 4, 4)
  }
  frames++
  requestAnimationFrame(draw)
}
requestAnimationFrame(draw)

let agent: PageAgent

Object.assign(globalThis, {
  smooth: {
    frames: () => frames,
    lend: async (mesh: string, accept: string[]) => {
      const limits = { cpuShare: 0.5, cores: 1, when: 'always', onBattery: true, onMetered: true } as const
      agent = await startPageAgent({
        mesh,
        accept,
        workerUrl: '/worker.js',
        engineUrl: '/engine.wasm',
        tierUrl: '/tier.js',
        limits,
      })
    },
    state: () => agent.view().state,
    today: () => agent.view().today,
  },
})
