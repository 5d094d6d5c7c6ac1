/** Performs programs in every way and records what comes out. The same code in Node and in the workers of pages. */
import { sha256 } from '@noble/hashes/sha2.js'
import { decodeCanonical, encodeCanonical } from '../../protocol/codec.ts'
import { isDeferred } from '../../protocol/effects.ts'
import type { Answer, EffectRequest, JournalEntry } from '../../protocol/journal.ts'
import { decodeValue, encodeValue, type Value, valueFromJson, valueToJson } from '../../protocol/values.ts'
import { Bases } from '../base.ts'
import type { Engine } from '../engine.ts'
import { Execution } from '../execution.ts'
import { IdleEngines } from '../idle-engines.ts'
import { type Image, resetToImage } from '../image.ts'
import { decodeImage, encodeImage } from '../image-file.ts'
import type { Run, SandboxResult } from '../job.ts'
import { PLAIN_MODULE } from '../job.ts'
import { loadFunction } from '../load.ts'
import { memoryState } from '../memory-state.ts'
import { Tracer } from '../tracer.ts'
import { performCarried } from './carried.ts'
import { engineFingerprint } from './fingerprint.ts'
import type { Order, Program, ProgramRecord, Question, Recorded, Reply, RunRecord, Way } from './program.ts'
import { traceText } from './trace-text.ts'

/** A program has at most this many orders, 5! and some: more would take the time of all the others. */
const ORDERS_MAX = 150
const SAID_CHARS_MAX = 300
const OWNER = 'everybody'
const SEED = Uint8Array.from({ length: 32 }, (_, i) => 7 * i + 1)

/** A page of the keys k0 to k4. */
const pageOf = ({ after, limit }: { after?: Value; limit?: Value }): Value => {
  const behind = ['k0', 'k1', 'k2', 'k3', 'k4'].filter((key) => after === null || key > (after as string))
  const entries = behind.slice(0, limit as number).map((key) => ({ key, value: `home ${key}` }))
  return { entries, more: behind.length > entries.length }
}

/**
 * What the home of these programs answers: an error to `#fail`, nothing to `#void`, a page to a list, a response to a
 * fetch, the request itself to others.
 */
const answerTo = ({ kind, arguments: bytes }: EffectRequest): Answer => {
  const asked = decodeValue(bytes)
  const { ref, input, body } = asked as { ref?: Value; input?: Value; body?: Value }
  if (kind === 'list') return { ok: true, value: encodeValue(pageOf(asked as { after?: Value; limit?: Value })) }
  const response = {
    status: 207,
    headers: [['x-kind', kind]],
    body: body ?? new Uint8Array([65]),
    url: 'https://a.example/',
  }
  if (kind === 'fetch') return { ok: true, value: encodeValue(response) }
  if (ref === '#fail') return { ok: false, code: 'E_FUNCTION_THREW', message: `no: ${valueToJson(input ?? null)}` }
  return { ok: true, value: encodeValue(ref === '#void' ? null : ref === '#echo' ? (input ?? null) : [kind, asked]) }
}

interface Performed {
  result: SandboxResult
  engine: Engine
  spoilt: boolean
  tracer: Tracer | undefined
  journal: JournalEntry[]
  /** What was chosen at each wait, and among how many. */
  choices: { at: number; of: number }[]
}

const runOf = ({ exportName, effects, input, limits }: Program, journal: readonly JournalEntry[]): Run => ({
  owner: OWNER,
  exportName,
  effects,
  input: encodeValue(valueFromJson(input)),
  seed: SEED,
  limits,
  journal,
})

type Loaded = ReturnType<typeof loadFunction>
type WithImage = Extract<Loaded, { image: unknown }>

/** One run in `engine`. At each wait it is given the answer that `order` says, or the first that is open. */
const performIn = (
  engine: Engine,
  { image, console }: WithImage,
  program: Program,
  order: Order,
  replayed: readonly JournalEntry[] = [],
): Performed => {
  const open: EffectRequest[] = []
  const journal: JournalEntry[] = []
  const requested = (request: EffectRequest) => {
    if (!isDeferred(request.kind)) open.push(request)
    journal.push({ entry: 'request', ...request })
  }
  const tracer = program.traced ? new Tracer(1, sha256) : undefined
  const execution = new Execution(engine, image, runOf(program, replayed), console, { requested, tracer })
  const choices: Performed['choices'] = []
  while (!execution.result) {
    const at = order[choices.length] ?? 0
    choices.push({ at, of: open.length })
    const [request] = open.splice(at, 1)
    if (!request) throw new Error(`${program.name}: it waits, and nothing is open`)
    const answer = answerTo(request)
    journal.push({ entry: 'answer', n: request.n, answer })
    execution.answer(request.n, answer)
  }
  return { result: execution.result, engine, spoilt: execution.spoilt, tracer, journal, choices }
}

/** The order after this one, as an odometer turns; undefined after the last. */
const nextOrder = (choices: Performed['choices']): number[] | undefined => {
  const last = choices.findLastIndex(({ at, of }) => at + 1 < of)
  if (last < 0) return undefined
  return choices.slice(0, last + 1).map(({ at }, i) => (i === last ? at + 1 : at))
}

const hex = async (bytes: Uint8Array): Promise<string> => {
  const digest = await globalThis.crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>)
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/**
 * Beyond what the engine has asked for nothing is ever written, and nothing is cleared: to look there takes long, and what one
 * program leaves all see that come after it. So one in eight looks, the same on all hosts.
 */
const looksBeyond = ({ name }: Program): boolean => [...name].reduce((sum, c) => sum + c.charCodeAt(0), 0) % 8 === 0

const recordOf = async (
  way: Way,
  { result, engine, tracer, choices }: Performed,
  isThorough = false,
): Promise<RunRecord> => {
  const order = choices.map(({ at }) => at)
  const memory = engineFingerprint(engine, isThorough ? undefined : engine.heapEnd())
  if (result.kind !== 'outcome') return { way, order, memory, outcome: '', fuel: 0, ...withoutOutcome(result) }
  const { result: end, fuel, console } = result.decoded
  const printed = console.length > 0 ? ` and printed ${console.length} lines` : ''
  const said = end.ok ? valueToJson(decodeValue(end.value)) : `${end.code} ${end.message}\n${end.stack}`
  const outcome = await hex(result.outcome)
  const trace = tracer && { trace: traceText(tracer) }
  return { way, order, kind: 'outcome', outcome, memory, ...trace, fuel, said: said.slice(0, SAID_CHARS_MAX) + printed }
}

const withoutOutcome = (result: Exclude<SandboxResult, { kind: 'outcome' }>) => ({
  kind: result.kind,
  said: result.kind === 'inconclusive' ? result.reason : `request ${result.n}: ${result.expected}, ${result.found}`,
})

/** What a sandbox process has: programs begin in the same base images, and have engines that others had before them. */
interface Shared {
  bases: Bases
  idle: IdleEngines
}
const sharedBy = new WeakMap<WebAssembly.Module, Shared>()

const sharedOf = (wasm: WebAssembly.Module): Shared => {
  const shared = sharedBy.get(wasm) ?? { bases: new Bases(wasm), idle: new IdleEngines(wasm) }
  sharedBy.set(wasm, shared)
  return shared
}

const take = (wasm: WebAssembly.Module, image: Image, bytesMax = image.memoryBytesMax): Engine =>
  sharedOf(wasm).idle.take(image, bytesMax, OWNER)

const give = (wasm: WebAssembly.Module, { image }: WithImage, { engine, spoilt }: Performed): void => {
  if (!spoilt) sharedOf(wasm).idle.give(engine, image, OWNER)
}

/** The engine for one more run: the same one reset, unless it was spoilt or has grown. */
const again = (wasm: WebAssembly.Module, { image }: WithImage, { engine, spoilt }: Performed): Engine =>
  !spoilt && resetToImage(engine, image) ? engine : take(wasm, image)

/** The order that replays `journal`: the answers come from there. */
const replayIn = (engine: Engine, loaded: WithImage, program: Program, { journal, choices }: Performed): Performed => {
  const replayed = performIn(engine, loaded, program, [], journal)
  return { ...replayed, choices }
}

/** Of what is loaded: of an image its bytes, of a module that could not be evaluated what it failed with. */
const recordLoaded = async ({ engine, ...loaded }: Loaded, image?: Uint8Array): Promise<RunRecord> => {
  const memory = engineFingerprint(engine, engine.heapEnd())
  const failed = image ? '' : JSON.stringify(loaded)
  const outcome = await hex(image ?? new TextEncoder().encode(failed))
  const said = image ? `an image of ${image.length} bytes` : failed.slice(0, SAID_CHARS_MAX)
  return { way: 'loaded', order: [], kind: 'outcome', outcome, memory, fuel: 0, said }
}

const performRestored = (
  wasm: WebAssembly.Module,
  loaded: WithImage,
  program: Program,
  file: Uint8Array,
  order: Order,
): Performed => {
  const restored = { ...loaded, ...decodeImage(file) }
  return performIn(take(wasm, restored.image), restored, program, order)
}

const performLoaded = async (wasm: WebAssembly.Module, program: Program, loaded: WithImage): Promise<RunRecord[]> => {
  const image = encodeImage(loaded)
  const records = [await recordLoaded(loaded, image)]
  const first = performIn(loaded.engine, loaded, program, [])
  records.push(await recordOf('cold', first, looksBeyond(program)))
  let last = first
  for (let order: Order | undefined = []; order; order = nextOrder(last.choices)) {
    last = performIn(again(wasm, loaded, last), loaded, program, order)
    const journal = last.journal.length > 0 ? { journal: base64(encodeCanonical(last.journal)) } : {}
    records.push({ ...(await recordOf('reset', last)), ...journal })
    if (records.length > 2 * ORDERS_MAX + 2) throw new Error(`${program.name}: more than ${ORDERS_MAX} orders`)
    if (last.journal.length === 0) continue
    const { choices } = last
    last = replayIn(again(wasm, loaded, last), loaded, program, last)
    records.push(await recordOf('replayed', { ...last, choices }))
  }
  const restored = performRestored(wasm, loaded, program, image, [])
  records.push(await recordOf('restored', restored))
  for (const performed of [last, restored]) give(wasm, loaded, performed)
  return records
}

const load = (wasm: WebAssembly.Module, { code, limits, effects, env }: Program): Loaded => {
  const taking = (image: Image, bytesMax: number) => take(wasm, image, bytesMax)
  const form = { ...PLAIN_MODULE, effects, env }
  return loadFunction(sharedOf(wasm).bases, new TextEncoder().encode(code), limits.memory_bytes, [], taking, form)
}

/** Performs `program` in each way, in each order of the answers to its requests. */
export const performProgram = async (wasm: WebAssembly.Module, program: Program): Promise<ProgramRecord> => {
  const { name } = program
  try {
    const loaded = load(wasm, program)
    return { name, runs: 'image' in loaded ? await performLoaded(wasm, program, loaded) : [await recordLoaded(loaded)] }
  } catch (thrown) {
    // The engine or its host failed while the module was evaluated: nothing is known of the program.
    const none = { order: [], outcome: '', memory: '', fuel: 0 }
    return { name, runs: [{ way: 'loaded', kind: 'inconclusive', said: String(thrown), ...none }] }
  }
}

/** Runs `program` with journals that were recorded elsewhere. */
const replayRecorded = async (
  wasm: WebAssembly.Module,
  program: Program,
  recorded: readonly Recorded[],
): Promise<ProgramRecord> => {
  const loaded = load(wasm, program)
  if (!('image' in loaded)) return { name: program.name, runs: [] }
  const runs = await inTurn(recorded, ({ order, journal }) => {
    const entries = decodeCanonical(bytesOf(journal), 'journal') as JournalEntry[]
    const performed = performIn(take(wasm, loaded.image), loaded, program, [], entries)
    give(wasm, loaded, performed)
    return recordOf('replayed', { ...performed, choices: order.map((at) => ({ at, of: at + 1 })) })
  })
  return { name: program.name, runs }
}

/** The state that one run leaves: it is performed again. */
const stateOf = (wasm: WebAssembly.Module, program: Program, way: Way, order: Order): Uint8Array => {
  const loaded = load(wasm, program)
  if (way === 'loaded' || !('image' in loaded)) return memoryState(loaded.engine)
  const first = performIn(loaded.engine, loaded, program, order)
  if (way === 'cold') return memoryState(first.engine)
  if (way === 'replayed') return memoryState(replayIn(again(wasm, loaded, first), loaded, program, first).engine)
  if (way === 'restored') return memoryState(performRestored(wasm, loaded, program, encodeImage(loaded), order).engine)
  return memoryState(performIn(again(wasm, loaded, first), loaded, program, order).engine)
}

const base64 = (bytes: Uint8Array): string => {
  let text = ''
  for (let at = 0; at < bytes.length; at += 32_768) text += String.fromCharCode(...bytes.subarray(at, at + 32_768))
  return btoa(text)
}

const bytesOf = (text: string): Uint8Array => Uint8Array.from(atob(text), (char) => char.charCodeAt(0))

const reply = async (wasm: WebAssembly.Module, question: Question): Promise<Reply> => {
  if ('perform' in question)
    return { records: await inTurn(question.perform, (program) => performProgram(wasm, program)) }
  if ('carried' in question) return { carried: await performCarried(wasm, question.carried) }
  if ('replay' in question) return { records: [await replayRecorded(wasm, question.replay, question.recorded)] }
  return { state: base64(stateOf(wasm, question.stateOf, question.way, question.order)) }
}

/** Answers a Question, as JSON, with a Reply. */
export const answerQuestion = async (wasm: WebAssembly.Module, text: string): Promise<string> =>
  JSON.stringify(await reply(wasm, JSON.parse(text)))

const inTurn = async <T, R>(items: readonly T[], perform: (item: T) => Promise<R>): Promise<R[]> => {
  const results: R[] = []
  for (const item of items) results.push(await perform(item))
  return results
}
