/** What an agent of the demo ran, and how long it took for it. */
import { Outcome } from '../../protocol/outcome.ts'
import type { SandboxHost, SandboxProcess } from '../../protocol/ports.ts'
import { decodeReports } from '../../sandbox/reports.ts'
import type { Ran } from './best.ts'

/** `ran` is told of each frame with outcomes of runs, which its process holds back for `heldMs`: then it has more to do meanwhile. */
const measuredProcess = (process: SandboxProcess, heldMs: () => number, ran: (ran: Ran) => void): SandboxProcess => {
  let busyUntilMs = 0
  const measure = (frame: Uint8Array): void => {
    let [fuel, ranMs] = [0, 0]
    for (const report of decodeReports(frame)) {
      if (report[0] !== 'done') continue
      const [, , outcome, micros] = report
      fuel += Outcome.decode(outcome).fuel
      ranMs += micros / 1000
    }
    if (fuel === 0) return
    const nowMs = performance.now()
    const untilMs = nowMs + heldMs()
    ran({ fuel, busyMs: Math.max(0, untilMs - Math.max(nowMs - ranMs, busyUntilMs)) })
    busyUntilMs = Math.max(busyUntilMs, untilMs)
  }
  return {
    send: (frame) => process.send(frame),
    kill: () => process.kill(),
    receive: ({ frame, exited }) =>
      process.receive({
        frame: (bytes) => {
          measure(bytes)
          frame(bytes)
        },
        exited,
      }),
  }
}

export const measured = (host: SandboxHost, heldMs: () => number, ran: (ran: Ran) => void): SandboxHost => ({
  spawn: (engine) => measuredProcess(host.spawn(engine), heldMs, ran),
})
