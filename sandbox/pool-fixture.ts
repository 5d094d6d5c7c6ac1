/** For the tests of the pool: a world whose sandbox processes say what a test lets them say. */
import { onTestFinished } from 'vitest'
import { MeshError } from '../protocol/errors.ts'
import type { Answer } from '../protocol/journal.ts'
import { Outcome } from '../protocol/outcome.ts'
import type { SandboxHandlers, SandboxHost, SandboxProcess } from '../protocol/ports.ts'
import { encodeValue, ensureValue } from '../protocol/values.ts'
import { FakeClock } from '../simulations/clock.ts'
import { bytesOf, limits, seed } from './fixture.ts'
import { type Command, decodeCommands, encodeFrame, type Report } from './frames.ts'
import { isImageFile } from './image-file.ts'
import { createSandboxPool, type SandboxJob, type SandboxResult } from './pool.ts'

/** A process that does nothing by itself: the test sees what it was told, and says what it reports. */
export class ToldProcess implements SandboxProcess {
  readonly engines?: readonly string[]
  readonly commands: Command[] = []
  readonly images: Uint8Array[] = []
  starting = false
  killed = false
  sentFrames = 0
  #handlers!: SandboxHandlers

  constructor(engines?: readonly string[]) {
    if (engines) this.engines = engines
  }
  send(frame: Uint8Array): void {
    this.sentFrames++
    if (isImageFile(frame)) this.images.push(frame)
    else this.commands.push(...decodeCommands(frame))
  }
  receive(handlers: SandboxHandlers): void {
    this.#handlers = handlers
  }
  kill(): void {
    this.killed = true
    queueMicrotask(() => this.#handlers.exited('signal SIGKILL'))
  }
  crash(): void {
    this.#handlers.exited('signal SIGSEGV')
  }
  up(): void {
    this.starting = false
    this.#handlers.up?.()
  }
  report(...reports: Report[]): void {
    this.#handlers.frame(encodeFrame(reports))
  }
  raw(frame: Uint8Array): void {
    this.#handlers.frame(frame)
  }
  /** IDs of the runs it was told to begin, in order. */
  get started(): number[] {
    return this.commands.flatMap((command) => (command[0] === 'runs' ? command[7].map(([id]) => id) : []))
  }
  of<K extends Command[0]>(kind: K): Extract<Command, { 0: K }>[] {
    return this.commands.filter((command): command is Extract<Command, { 0: K }> => command[0] === kind)
  }
}

export const OUTCOME = Outcome.encode({
  ...{ v: 1, result: { ok: true, value: Uint8Array.of(1) }, requests: [], console: [] },
  ...{ fuel: 1, memory_bytes: 2 },
})
export const done = (id: number, ms = 1): Report => ['done', id, OUTCOME, 1000 * ms]
export const FINISHED: SandboxResult = { kind: 'outcome', outcome: OUTCOME, decoded: Outcome.decode(OUTCOME) }
export const ok = (value: unknown): Answer => ({ ok: true, value: encodeValue(ensureValue(value)) })

/** `spare`: its host has started a process already. `starting`: others come up when the test says so. */
export const world = (slots = 1, idleMs = 60_000, spare?: ToldProcess, starting = false) => {
  const clock = new FakeClock()
  const processes: ToldProcess[] = spare ? [spare] : []
  const events: string[] = []
  let failures = 0
  const sandboxHost: SandboxHost = {
    spare: () => spare,
    spawn: (engine) => {
      if (failures-- > 0) throw new MeshError('E_INCONCLUSIVE', 'no more processes')
      processes.push(new ToldProcess(engine ? [engine] : undefined))
      const process = processes.at(-1) as ToldProcess
      process.starting = starting
      return process
    },
  }
  const log = { event: (name: string) => void events.push(name) }
  const images: string[] = []
  const imaged = (functionId: string, memoryBytes: number, file: Uint8Array) =>
    void images.push(`${functionId} ${memoryBytes} ${file}`)
  const pool = createSandboxPool({ sandboxHost, clock, log }, { slots, idleMs, imaged })
  onTestFinished(() => pool.stop())
  pool.takeSpare()
  let codeAsked = 0
  const effects = ['call'] as const
  const job = (changes: Partial<SandboxJob> = {}): SandboxJob => ({
    party: 'somebody',
    functionId: 'f',
    code: () => {
      codeAsked++
      return bytesOf('export default 1')
    },
    exportName: 'default',
    effects,
    input: encodeValue(null),
    seed,
    limits,
    journal: [],
    timeoutMs: 10_000,
    ...changes,
  })
  const run = (changes?: Partial<SandboxJob>) => pool.run(job(changes))
  /** Makes runs of `functionId` known to take `ms`. */
  const teach = async (functionId: string, ms: number) => {
    const taught = run({ functionId })
    await clock.advance(0)
    const process = processes.find((one) => !one.killed && one.started.length > 0) as ToldProcess
    const id = process.started.at(-1) as number
    process.report(done(id, ms))
    await taught.result
  }
  const settle = () => clock.advance(0)
  const fail = (times: number) => {
    failures = times
  }
  return { clock, pool, processes, events, images, run, teach, settle, codeAsked: () => codeAsked, fail }
}
