/** One run in one engine: from the image to an outcome, stopping where the guest waits for an answer. */

import type { EffectKind } from '../protocol/effects.ts'
import { type Answer, orderJournal } from '../protocol/journal.ts'
import { FUEL_TICK, OUTPUT_BYTES_MAX, REQUESTS_MAX } from '../protocol/limits.ts'
import type { ConsoleLine, Outcome, OutcomeErrorCode } from '../protocol/outcome.ts'
import { encodeOutcome } from '../protocol/outcome-bytes.ts'
import { decodeValue, encodeValue, type Value } from '../protocol/values.ts'
import { Asked } from './asked.ts'
import { checkpointsDue, encodeCheckpoint, openCheckpoint, type Resumption } from './checkpoint.ts'
import { GuestConsole } from './console.ts'
import { pack } from './crossing.ts'
import { failure, inconclusive, resultOf, tooLarge, tooMuchPut } from './ends.ts'
import { type Engine, EngineFault, type GuestEvents, NO_MEMORY, STACK_END, STOP } from './engine.ts'
import { evaluateGroup } from './evaluate.ts'
import { GuestBuffers } from './guest-buffers.ts'
import { HOST } from './host-calls.ts'
import { type Image, resetToImage } from './image.ts'
import type { Run, RunEvents, SandboxResult } from './job.ts'
import type { CutPut } from './large-puts.ts'
import { traceEngine } from './memory-state.ts'
import { ModuleCalls } from './module-calls.ts'
import { RunModules } from './modules.ts'
import { isProgramEnd } from './program/end.ts'
import { ConsoleLines } from './program/line-reader.ts'
import type { Program } from './program/program.ts'
import { type Divergence, Replay } from './replay.ts'
import { faultIn, isEffectKind, undeclared } from './requests.ts'
import { LAYOUT, METER } from './wasm-names.ts'

/** What the value and the arguments of all requests may come to together, so that an outcome fits its own limit. */
const PAYLOAD_BYTES_MAX = OUTPUT_BYTES_MAX + 512 * 1024
/** Six bytes of JSON stand for one byte of DAG-CBOR at most, or thirteen for an empty byte array. */
const JSON_BYTES_PER_BYTE = 16
/** A message with its stack, or what is printed at once. */
const SHORT_BYTES_MAX = 512 * 1024
/** Arguments that fit in the room set aside at load. */
const SCRATCH_ARGS_MAX = 16

/** Codes that the prelude may end a run with; the others are the host's to find. */
const GUEST_CODES: ReadonlySet<string> = new Set<OutcomeErrorCode>([
  'E_VALUE',
  'E_FUNCTION_THREW',
  'E_EXPORT_UNKNOWN',
  'E_HANDLER_UNSUPPORTED',
])

type End = Outcome['result'] | { divergence: Divergence } | { stoppedAt: number }

export class Execution implements GuestEvents {
  readonly #engine: Engine
  readonly #image: Image
  readonly #run: Run
  readonly #events: RunEvents
  readonly #generation: number
  readonly #replay: Replay
  readonly #console: GuestConsole
  readonly #ticksMax: number
  readonly #modules: RunModules
  readonly #moduleCalls: ModuleCalls
  readonly #lines = new ConsoleLines((level, line) => this.#console.add(level, line))
  readonly #asked: Asked
  readonly #hasModules: boolean
  readonly #cutPut: CutPut | undefined
  readonly #buffers: GuestBuffers
  #ticks = 0
  /** As of the last rest: that many checkpoints were due. */
  #checkpoints: number
  #end: End | undefined
  /** Things that the guest has yet to do when no jobs are left. */
  #turns = 0
  /** Set once the run is over. */
  result: SandboxResult | undefined
  /** Its engine must not be used again. */
  spoilt = false

  /** Resets `engine` to `image` and runs until the guest waits or ends. `printed`: what the module printed. */
  constructor(
    engine: Engine,
    image: Image,
    run: Run,
    printed: readonly ConsoleLine[],
    events: RunEvents,
    programs: readonly Program[] = [],
    cutPut?: CutPut,
  ) {
    this.#cutPut = run.effects.includes('put') ? cutPut : undefined
    this.#buffers = new GuestBuffers(this.#cutPut !== undefined)
    this.#engine = engine
    this.#image = image
    this.#run = run
    this.#events = events
    this.#generation = ++engine.generation
    const journal = run.journal.length === 0 ? run.journal : orderJournal(run.journal)
    this.#hasModules = programs.length > 0
    const resumed = run.from && !this.#hasModules ? openCheckpoint(run.from, image, journal) : undefined
    this.#replay = new Replay(journal, resumed?.entries)
    this.#asked = resumed?.asked ?? new Asked()
    this.#ticks = resumed?.standing.ticks ?? 0
    this.#checkpoints = checkpointsDue(this.#ticks, this.#asked.answers)
    this.#console = new GuestConsole(resumed?.standing.console ?? printed)
    this.#ticksMax = Math.ceil(run.limits.fuel / FUEL_TICK)
    this.#modules = new RunModules(programs, run, {
      fuelLeft: () => this.#ticksMax * FUEL_TICK - this.#fuelUsed(),
      paused: () => this.#events.progress?.(this.fuel),
      printed: (level, bytes) => this.#lines.write(level, bytes),
    })
    this.#moduleCalls = new ModuleCalls(engine, image.roots, programs, this.#modules)
    engine.events = this
    this.#advance(() => (resumed ? this.#resume(resumed) : this.#start()))
  }

  /** Fuel used so far, in whole ticks. */
  get fuel(): number {
    return Math.max(0, this.#ticks - 1) * FUEL_TICK + this.#modules.fuel
  }

  /** Gives the guest the answer to request `n`. Dropped if it is not waited for, or if its engine has another run now. */
  answer(n: number, answer: Answer): void {
    if (this.result || this.#engine.generation !== this.#generation || !this.#asked.awaits(n)) return
    this.#advance(() => this.#settle(n, answer))
  }

  /** Ends a run that waits. No answer reaches it any more. */
  abandon(): void {
    this.result ??= { kind: 'inconclusive', reason: 'abandoned' }
  }

  #advance(step: () => void): void {
    try {
      step()
      this.#pump()
      while (!this.#end && this.#atRest()) this.#pump()
      if (this.#ticks === 0) throw new EngineFault('fuel does not count')
      if (this.#end) this.result = this.#conclude(this.#end)
    } catch (thrown) {
      this.#caught(thrown)
    }
  }

  #caught(thrown: unknown): void {
    this.spoilt = thrown !== STOP && thrown !== STACK_END && thrown !== NO_MEMORY
    this.#end = this.#endOf(thrown)
    try {
      this.result = this.#end ? this.#conclude(this.#end) : inconclusive(thrown)
    } catch (fault) {
      // What stands in the guest's memory may be no count of fuel.
      this.spoilt = true
      this.result = inconclusive(fault)
    }
  }

  /** What of that which is thrown through the guest ends it alike everywhere. */
  #endOf(thrown: unknown): End | undefined {
    if (thrown === STOP) return this.#end
    if (thrown === STACK_END)
      return this.#end ?? failure('E_STACK_LIMIT', 'it recursed too deep, where that cannot be caught')
    // Out of memory, the engine may even trap. That is as deterministic as all that WebAssembly does.
    const starved = thrown === NO_MEMORY || thrown instanceof WebAssembly.RuntimeError
    return this.#engine.refused && starved ? (this.#end ?? failure('E_MEMORY_LIMIT', '')) : undefined
  }

  #start(): void {
    const { exportName, input, seed } = this.#run
    const { context, run } = this.#image.roots
    if (!resetToImage(this.#engine, this.#image)) throw new EngineFault('the engine has grown')
    this.#engine.holds = undefined
    this.#engine.seedRandom(context + LAYOUT.randomState, seed)
    const { json, special, buffers } = pack(decodeValue(input))
    const text = this.#engine.newString(context, `[${JSON.stringify(exportName)},${special},${json}]`)
    const value = this.#invoke(run, [text, this.#engine.newHex(context, seed)], buffers)
    if (!this.#isUndefined(value)) this.#done(value)
  }

  #resume({ restore }: Resumption): void {
    if (!restore(this.#engine)) throw new EngineFault('the engine has grown')
    this.#engine.holds = undefined
  }

  #isUndefined(value: number): boolean {
    const { view } = this.#engine
    return view.getUint32(value + 4, true) === view.getUint32(this.#image.roots.undefinedValue + 4, true)
  }

  /** Calls a function of the prelude with `texts`, which are freed, and ArrayBuffers. */
  #invoke(entry: number, texts: readonly number[], buffers: readonly Uint8Array[]): number {
    const engine = this.#engine
    const { context, scratch, undefinedValue } = this.#image.roots
    const count = texts.length + buffers.length
    const args = count <= SCRATCH_ARGS_MAX ? scratch : engine.allocate(4 * count)
    let at = args
    for (const text of texts) {
      engine.view.setUint32(at, text, true)
      at += 4
    }
    for (const bytes of buffers) {
      const buffer = engine.newBuffer(context, bytes)
      engine.view.setUint32(at, buffer, true)
      at += 4
    }
    const value = engine.owned(engine.exports.call(context, entry, undefinedValue, count, args))
    if (engine.exports.resolveException(context, value) !== 0) {
      if (engine.refused) throw NO_MEMORY
      throw new EngineFault('the prelude failed')
    }
    for (const text of texts) engine.exports.freeValue(context, text)
    return value
  }

  /** Runs jobs until none is left, or the run has its end. */
  #pump(): void {
    const engine = this.#engine
    const { context, runtime, scratch } = this.#image.roots
    while (!this.#end && engine.exports.isJobPending(runtime) !== 0)
      engine.exports.freeValue(context, engine.owned(engine.exports.executePendingJob(runtime, 1, scratch)))
  }

  /** No jobs are left. True: the guest went on with what it put off until now, or with the answer that its journal holds here. */
  #atRest(): boolean {
    if (this.#turns > 0) {
      this.#turns--
      this.#invoke(this.#image.roots.turn, [], [])
      return true
    }
    if (this.#asked.waits) this.#rest()
    if (!this.#replay.over) {
      const next = this.#replay.next()
      if ('divergence' in next) this.#end = next
      else this.#settle(next.n, next.answer)
      return !this.#end
    }
    if (!this.#asked.waits) this.#end = failure('E_FUNCTION_PENDING', 'it waits for a promise that nothing will settle')
    return false
  }

  /** Modules have memories of their own, which no checkpoint has. */
  #rest(): void {
    const { answers, requests } = this.#asked
    const due = checkpointsDue(this.#ticks, answers)
    if (due === this.#checkpoints || this.#hasModules) return
    this.#checkpoints = due
    this.#events.rested?.(answers, () =>
      encodeCheckpoint(this.#engine, this.#image, {
        ...{ answers, requests: requests.length, ticks: this.#ticks, refused: this.#engine.refused },
        console: [...this.#console.lines],
      }),
    )
  }

  #settle(n: number, answer: Answer): void {
    if (!this.#asked.answered(n)) {
      this.#end = { divergence: { n, expected: `request ${n}`, found: 'no such request' } }
      return
    }
    if (!answer.ok) return this.#tell(JSON.stringify([n, false, answer.code, answer.message]), [])
    const { json, special, buffers } = pack(decodeValue(answer.value))
    this.#tell(`[${n},true,${special},${json}]`, buffers)
  }

  #tell(text: string, buffers: readonly Uint8Array[]): void {
    const { context, settle } = this.#image.roots
    this.#invoke(settle, [this.#engine.newString(context, text)], buffers)
  }

  tick(): void {
    if (++this.#ticks * FUEL_TICK + this.#modules.fuel > this.#ticksMax * FUEL_TICK)
      this.#stop(failure('E_FUEL_LIMIT', `it used up its ${this.#ticksMax * FUEL_TICK} fuel`))
    this.#events.progress?.(this.fuel)
    const { tracer } = this.#events
    if (tracer) traceEngine(tracer, this.#ticks - 1, this.#engine, this.#image.roots, this.#modules.memories)
  }

  #stop(end: End): never {
    this.#end ??= end
    throw STOP
  }

  hostCall(id: number, args: readonly number[]): number {
    const { context, runtime } = this.#image.roots
    if (id === HOST.group)
      return evaluateGroup(this.#engine, context, runtime, this.#text(args[0] ?? 0, SHORT_BYTES_MAX))
    if (ModuleCalls.serves(id)) return this.#moduleCall(id, args)
    return this.#end ? 0 : this.#called(id, args)
  }

  #moduleCall(id: number, args: readonly number[]): number {
    try {
      return this.#moduleCalls.hostCall(id, args)
    } catch (thrown) {
      if (isProgramEnd(thrown)) this.#stop(failure(thrown.code, thrown.message))
      throw thrown
    }
  }

  /** What the guest is told: nothing, most often. */
  #called(id: number, [first = 0, second = 0, third = 0]: readonly number[]): number {
    if (id === HOST.request) return this.#request(this.#text(first, SHORT_BYTES_MAX), second)
    if (id === HOST.log) this.#console.add(this.#text(first, SHORT_BYTES_MAX), this.#quoted(second))
    if (id === HOST.buffer) this.#buffer(first)
    if (id === HOST.turn) this.#turns++
    if (id === HOST.done) this.#done(first)
    if (id === HOST.fail) this.#fail(this.#text(first, SHORT_BYTES_MAX), this.#quoted(second), this.#quoted(third))
    return 0
  }

  #text(value: number, bytesMax: number): string {
    return (
      this.#engine.text(this.#image.roots.context, value, bytesMax) ??
      this.#stop(tooLarge(this.#run.limits.output_bytes))
    )
  }

  #quoted(value: number): string {
    return String(JSON.parse(this.#text(value, SHORT_BYTES_MAX)))
  }

  #buffer(value: number): void {
    const { bytesMax, room } = this.#buffers
    const bytes = this.#engine.buffer(this.#image.roots.context, value, room)
    if (!bytes) this.#stop(tooLarge(this.#cutPut ? bytesMax : this.#run.limits.output_bytes))
    this.#buffers.add(bytes)
  }

  /** The Value in a string of the guest and the byte arrays sent before it. */
  #unpacked(value: number, bytesMax: number): Value {
    return this.#buffers.unpacked(this.#text(value, bytesMax * JSON_BYTES_PER_BYTE))
  }

  /** Of at most `bytesMax`. */
  #encoded(value: Value, bytesMax: number): Uint8Array {
    const encoded = encodeValue(value)
    if (encoded.length > bytesMax || this.#asked.bytes + encoded.length > PAYLOAD_BYTES_MAX)
      this.#stop(tooLarge(bytesMax))
    return encoded
  }

  #done(value: number): void {
    const bytesMax = this.#run.limits.output_bytes
    this.#end = { ok: true, value: this.#encoded(this.#unpacked(value, bytesMax), bytesMax) }
  }

  #fail(code: string, message: string, stack: string): void {
    if (!GUEST_CODES.has(code)) throw new EngineFault('an unknown way to fail')
    this.#end = failure(code as OutcomeErrorCode, message, stack)
  }

  /** Arguments that no home would take are no request: the guest is told what is wrong with them. */
  #request(kind: string, value: number): number {
    if (!isEffectKind(kind)) throw new EngineFault('an unknown effect')
    if (!this.#run.effects.includes(kind)) this.#stop(failure('E_EFFECT_UNDECLARED', undeclared(kind)))
    if (this.#asked.requests.length === REQUESTS_MAX)
      this.#stop(failure('E_OUTPUT_LIMIT', `it made more than ${REQUESTS_MAX} requests`))
    const given = this.#unpacked(value, kind === 'put' ? this.#buffers.bytesMax : OUTPUT_BYTES_MAX)
    const { asked, blocks } = (kind === 'put' && this.#cutPut?.(given)) || { asked: given, blocks: [] }
    const fault = faultIn(kind, asked)
    if (fault !== undefined) return this.#engine.newString(this.#image.roots.context, fault)
    if (!this.#asked.hasRoomFor(blocks.length)) this.#stop(tooMuchPut())
    for (const { bytes } of blocks) this.#events.block?.(bytes)
    this.#requested(kind, this.#encoded(asked, OUTPUT_BYTES_MAX))
    return 0
  }

  #requested(kind: EffectKind, encoded: Uint8Array): void {
    const request = this.#asked.next(kind, encoded)
    const { n } = request
    if (n === this.#run.until) {
      this.#events.stopped?.({ request, console: this.#console.lines, fuel: this.#fuelUsed() })
      this.#stop({ stoppedAt: n })
    }
    this.#asked.made(request)
    if (this.#replay.isLive) return this.#events.requested?.(request)
    const divergence = this.#replay.meet(request)
    if (divergence) this.#stop({ divergence })
  }

  #conclude(end: End): SandboxResult {
    if ('divergence' in end) return { kind: 'diverged', ...end.divergence }
    if ('stoppedAt' in end) return { kind: 'inconclusive', reason: `it was to end before request ${end.stoppedAt}` }
    const missing = this.#replay.missing()
    if (missing) return { kind: 'diverged', ...missing }
    this.#lines.end()
    const outcome: Outcome = {
      v: 1,
      result: resultOf(end, this.#engine),
      requests: this.#asked.requests,
      console: this.#console.lines,
      fuel: this.#fuelUsed(),
      memory_bytes: this.#engine.bytes.length + this.#modules.memoryBytes,
    }
    return { kind: 'outcome', outcome: encodeOutcome(outcome), decoded: outcome }
  }

  /** The ticks, less what is left of the last one; or with what is owed beyond it. */
  #fuelUsed(): number {
    const left = this.#engine.view.getInt32(METER.address, true)
    if (Math.abs(left) > FUEL_TICK * METER.unitsPerFuel) throw new EngineFault('the count of fuel is out of bounds')
    const used = this.#ticks * FUEL_TICK - Math.ceil(left / METER.unitsPerFuel) + this.#modules.fuel
    return Math.min(used, this.#ticksMax * FUEL_TICK)
  }
}
