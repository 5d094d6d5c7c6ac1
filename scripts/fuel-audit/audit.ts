/** Runs the cases of the audit, and tells what each call takes: fuel, steps of the engine, and time. */
import { MEMORY_BYTES_MIN, MIB } from '../../protocol/limits.ts'
import { decodeValue, encodeValue, type Value } from '../../protocol/values.ts'
import { Bases } from '../../sandbox/base.ts'
import { Engine } from '../../sandbox/engine.ts'
import { Execution } from '../../sandbox/execution.ts'
import { engineFromImage, type Image } from '../../sandbox/image.ts'
import { loadFunction } from '../../sandbox/load.ts'
import { BUILT_INS_SOURCE } from './built-ins.ts'
import { AUDIT_MODULE, CASES } from './guest.ts'

/**
 * Steps of the engine that one fuel pays for, at most, and those that a call is allowed besides. A round of a loop pays
 * for 512 a fuel; measured over all cases, from 16,384 to 131,072: 50 to 2,121, half of them under 230.
 */
export const STEPS_PER_FUEL_MAX = 3000
export const STEPS_FREE = 10_000
/**
 * The longest time between two ticks, in any call, at any size. On a machine that does nothing else none of the cases
 * needs more than 5 ms; the bound is for machines that do.
 */
export const TICK_MS_MAX = 50
/** Ticks that come faster than any work pay for what is about to be copied or filled, and share the time that this takes. */
const AT_ONCE_MS = 0.02
/** What a machine does in between is no fault of the engine's: the best of so many tries counts. */
const TRIES = 8

const MEMORY_BYTES_MAX = 1024 * MIB
/** Where a call would take more than this, as some do that square their input, it is stopped. */
const FUEL_MAX = 50_000_000
const LIMITS: ReadonlySet<string> = new Set(['E_FUEL_LIMIT', 'E_MEMORY_LIMIT'])

export interface Use {
  fuel: number
  /** Of the engine; 0 if it does not count them. */
  steps: number
  ms: number
  /** The longest time between two ticks; the start and the end count as such. */
  tickMs: number
}

export interface Job {
  /** Of the case, in CASES. */
  at: number
  n: number
  call: boolean
}

/** In a context in which no prelude has run. */
const builtInsOfBare = (wasm: WebAssembly.Module): string[] => {
  const engine = new Engine(wasm, MEMORY_BYTES_MIN, MEMORY_BYTES_MIN)
  const { exports } = engine
  exports.initialize()
  const context = engine.owned(exports.newContext(exports.newRuntime(), 0))
  const code = `(() => { ${BUILT_INS_SOURCE}; return JSON.stringify(builtIns()) })()`
  const source = engine.cString(code)
  const value = engine.owned(exports.evaluate(context, source, new TextEncoder().encode(code).length, source, 0, 0))
  return JSON.parse(engine.text(context, value, MIB) ?? '[]')
}

export class Auditor {
  readonly #wasm: WebAssembly.Module
  readonly #stepsAddress: number | undefined
  readonly #image: Image
  readonly #stepsAtRest: number
  #engine: Engine | undefined

  /** `stepsAddress`: where the engine counts its steps, if it does. */
  constructor(wasm: WebAssembly.Module, stepsAddress?: number) {
    this.#wasm = wasm
    this.#stepsAddress = stepsAddress
    const loaded = loadFunction(new Bases(wasm), new TextEncoder().encode(AUDIT_MODULE), MEMORY_BYTES_MAX)
    if (!('image' in loaded)) throw new Error(`the audit's module: ${loaded.failure.message}`)
    this.#image = loaded.image
    this.#stepsAtRest = this.#steps(this.#freshEngine())
  }

  /** Of the engine and not of the prelude, whose functions are code like the guest's; without those that it removes. */
  builtIns(): string[] {
    const bare = new Set(builtInsOfBare(this.#wasm))
    return (this.#run(null).value as string[]).filter((path) => bare.has(path))
  }

  /** Throws if the case throws. */
  use(job: Job): Use {
    return this.#run({ ...job }).use
  }

  #run(input: Value): { value: Value; use: Use } {
    const engine = this.#freshEngine()
    const run = {
      owner: 'audit',
      exportName: 'default',
      effects: [],
      input: encodeValue(input),
      seed: new Uint8Array(32),
      limits: { fuel: FUEL_MAX, memory_bytes: MEMORY_BYTES_MAX, output_bytes: MIB },
      journal: [],
    }
    const startedMs = performance.now()
    let tickedMs = startedMs
    let tickMs = 0
    let paid = 1
    const progress = () => {
      const gapMs = performance.now() - tickedMs
      if (gapMs > AT_ONCE_MS) {
        tickMs = Math.max(tickMs, gapMs / paid)
        paid = 0
      }
      paid++
      tickedMs += gapMs
    }
    const { result, spoilt } = new Execution(engine, this.#image, run, [], { progress })
    const ms = performance.now() - startedMs
    progress()
    if (spoilt) this.#engine = undefined
    if (result?.kind !== 'outcome') throw new Error(`no outcome: ${JSON.stringify(result)}`)
    const { result: end, fuel } = result.decoded
    if (!end.ok && !LIMITS.has(end.code)) throw new Error(`${JSON.stringify(input)}: ${end.message}`)
    const use = { fuel, steps: this.#steps(engine) - this.#stepsAtRest, ms, tickMs }
    return { value: end.ok ? decodeValue(end.value) : null, use }
  }

  #freshEngine(): Engine {
    if (this.#engine?.bytes.length !== this.#image.memoryBytes)
      this.#engine = engineFromImage(this.#wasm, this.#image, MEMORY_BYTES_MAX)
    return this.#engine as Engine
  }

  #steps(engine: Engine): number {
    return this.#stepsAddress === undefined ? 0 : Number(engine.view.getBigUint64(this.#stepsAddress, true))
  }
}

const named = (at: number, n: number, what: string): string => {
  const { path, setup, call } = CASES[at] as (typeof CASES)[number]
  return `${path}, ${call}, with n = ${n} and ${setup || 'no inputs'}: ${what}`
}

/** The calls that take more steps of the engine, of size `n`, than their fuel pays for. `auditor`'s engine counts steps. */
export const unpaid = (auditor: Auditor, n: number): string[] =>
  CASES.flatMap((_, at) => {
    const without = auditor.use({ at, n, call: false })
    const whole = auditor.use({ at, n, call: true })
    const [fuel, steps] = [whole.fuel - without.fuel, whole.steps - without.steps]
    return steps > STEPS_FREE + STEPS_PER_FUEL_MAX * Math.max(0, fuel)
      ? [named(at, n, `${steps} steps for ${fuel} fuel`)]
      : []
  })

/** The calls in which, at size `n`, a tick took longer than TICK_MS_MAX; and the longest time of any. */
export const slowTicks = (auditor: Auditor, n: number): { slow: string[]; longestMs: number } => {
  const slow: string[] = []
  let longestMs = 0
  for (const at of CASES.keys()) {
    let tickMs = Number.POSITIVE_INFINITY
    for (let tries = 0; tries < TRIES && tickMs > TICK_MS_MAX / 10; tries++)
      tickMs = Math.min(tickMs, auditor.use({ at, n, call: true }).tickMs)
    longestMs = Math.max(longestMs, tickMs)
    if (tickMs > TICK_MS_MAX) slow.push(named(at, n, `${tickMs.toFixed(1)} ms between two ticks`))
  }
  return { slow, longestMs }
}

/** Built-ins that no case is for, and cases that are for none. */
export const undescribed = (auditor: Auditor): { missing: string[]; unknown: string[] } => {
  const found = new Set(auditor.builtIns())
  const described = new Set(CASES.map(({ path }) => path))
  return {
    missing: [...found].filter((path) => !described.has(path)),
    unknown: [...described].filter((path) => !found.has(path) && !path.startsWith('syntax.')),
  }
}
