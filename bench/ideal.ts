/** The two-process ideal: how much faster this machine does twice the work in two processes that share nothing. */
import type { ChildProcess } from 'node:child_process'
import { median } from './measure.ts'
import { start, stop } from './processes.ts'

const ROUNDS = 3

const timed = async (run: () => Promise<unknown>): Promise<number> => {
  const startMs = performance.now()
  await run()
  return performance.now() - startMs
}

/** 2 on a machine with two idle cores; less where something else runs or cores share what they compute with. */
export const idealSpeedup = async (): Promise<number> => {
  const workers = await Promise.all([start('./spin-worker.ts'), start('./spin-worker.ts')])
  const ask = ({ child }: { child: ChildProcess }) =>
    new Promise<void>((resolve) => {
      child.once('message', () => resolve())
      child.send('spin')
    })
  const ratios: number[] = []
  for (let round = 0; round <= ROUNDS; round++) {
    const [first] = workers
    const alone = await timed(async () => {
      await ask(first)
      await ask(first)
    })
    const together = await timed(() => Promise.all(workers.map(ask)))
    if (round > 0) ratios.push(alone / together)
  }
  await Promise.all(workers.map(({ child }) => stop(child)))
  return median(ratios)
}
