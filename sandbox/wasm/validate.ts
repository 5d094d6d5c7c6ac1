/** Is a WebAssembly module in the metered form? Decides from the bytes alone, in time linear in their number, the same on every host. */
import { type BodyContext, checkBody } from './body.ts'
import {
  type FunctionType,
  GAS_EXPORT,
  MEMORY_EXPORT,
  type MeteredFacts,
  type MeteredLimits,
  STACK_EXPORT,
  START_EXPORT,
} from './form.ts'
import { BODY_BYTES_MAX, COMPILE_WORK_MAX, MODULE_BYTES_MAX, PAGE_BYTES, TABLE_ENTRIES_MAX } from './limits.ts'
import { Refusal, refuse } from './refusal.ts'
import { KIND, kindName, type ModuleParts, readModule } from './sections.ts'

/** `reason` says what is wrong and where, in one line. Positions are offsets in the bytes of the module. */
export type Verdict = { ok: true; facts: MeteredFacts } | { ok: false; reason: string }

/**
 * Call it before the host compiles `code`: types are left to `WebAssembly.compile`, which must follow. A module that
 * passes both cannot run without paying, and cannot overflow the host's stack.
 */
export const validateMetered = (code: Uint8Array, limits: MeteredLimits): Verdict => {
  try {
    return { ok: true, facts: check(code, limits) }
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, reason: error.message }
    throw error
  }
}

const check = (code: Uint8Array, limits: MeteredLimits): MeteredFacts => {
  if (code.length > MODULE_BYTES_MAX) refuse(`${code.length} bytes are more than ${MODULE_BYTES_MAX}`)
  const parts = readModule(code)
  if (parts.start !== undefined) refuse('it has a start function, which would run before gas is set')
  const gas = reservedGlobals(parts)
  const functionTypes = [...parts.imports.map(({ type }) => type), ...parts.functions]
  const facts: MeteredFacts = {
    imports: checkImports(parts, limits.imports),
    ...checkExports(parts, functionTypes, gas),
    memory: checkMemory(parts, limits.memoryBytesMax),
  }
  checkTable(parts)
  checkBodies({ parts, functionTypes, gas })
  return facts
}

const checkBodies = (context: BodyContext) => {
  const { bodies, functions } = context.parts
  let work = 0
  for (const [index, body] of bodies.entries()) {
    if (body.end - body.at > BODY_BYTES_MAX) refuse(`the function at ${body.at} has more than ${BODY_BYTES_MAX} bytes`)
    work += checkBody(body, functions[index]!, context).compileWork
    if (work > COMPILE_WORK_MAX) refuse(`its functions with many locals have too many branches, up to ${body.end}`)
  }
}

/** The last two globals are gas and stack. Returns the index of the first. */
const reservedGlobals = ({ globals }: ModuleParts): number => {
  const gas = globals.length - 2
  const last = globals.slice(-2)
  if (gas < 0 || last.some(({ type, mutable }) => type !== 'i64' || !mutable)) {
    refuse('its last two globals are not gas and stack, two mutable i64')
  }
  return gas
}

const sameTypes = (a: FunctionType, b: FunctionType) =>
  a.params.join() === b.params.join() && a.results.join() === b.results.join()

const typeText = ({ params, results }: FunctionType) => `(${params.join(', ')}) -> (${results.join(', ')})`

const checkImports = ({ imports, types }: ModuleParts, allowed: MeteredLimits['imports']): MeteredFacts['imports'] =>
  imports.map(({ module, name, type: index }) => {
    const type = types[index]!
    const expected = allowed.get(`${module}.${name}`)
    if (expected === undefined) return refuse(`it imports ${module}.${name}, which is not provided`)
    if (!sameTypes(type, expected)) {
      return refuse(`it imports ${module}.${name} as ${typeText(type)} instead of ${typeText(expected)}`)
    }
    return { module, name, type }
  })

const checkExports = (
  { exports, types }: ModuleParts,
  functionTypes: readonly number[],
  gas: number,
): Pick<MeteredFacts, 'exports' | 'start'> => {
  const rest = new Map(exports.map((one) => [one.name, one]))
  if (rest.size < exports.length) refuse('two exports have one name')
  const globalAt = (name: string) => (rest.get(name)?.kind === KIND.global ? rest.get(name)?.index : undefined)
  if (globalAt(GAS_EXPORT) !== gas) refuse(`its second last global is not exported as ${GAS_EXPORT}`)
  if (globalAt(STACK_EXPORT) !== gas + 1) refuse(`its last global is not exported as ${STACK_EXPORT}`)
  for (const name of [GAS_EXPORT, STACK_EXPORT]) rest.delete(name)
  if (rest.get(MEMORY_EXPORT)?.kind === KIND.memory) rest.delete(MEMORY_EXPORT)
  const functions = [...rest.values()].map(({ name, kind, index }) => {
    if (kind !== KIND.function) return refuse(`it exports the ${kindName(kind)} "${name}"`)
    const type = types[functionTypes[index] ?? -1]
    return type === undefined ? refuse(`"${name}" exports function ${index}, which is not there`) : { name, type }
  })
  const start = functions.find(({ name }) => name === START_EXPORT)
  if (start !== undefined && !sameTypes(start.type, { params: [], results: [] })) {
    refuse(`${START_EXPORT} is ${typeText(start.type)}`)
  }
  return { exports: functions.filter((one) => one !== start), start: start !== undefined }
}

const checkMemory = ({ memories }: ModuleParts, memoryBytesMax: number): MeteredFacts['memory'] => {
  const [memory] = memories
  if (memory === undefined) return undefined
  const { minimum, maximum } = memory
  if (maximum === undefined) return refuse('its memory has no maximum')
  if (minimum > maximum || maximum * PAGE_BYTES > memoryBytesMax) {
    return refuse(`its memory of ${minimum} to ${maximum} pages is larger than ${memoryBytesMax} bytes`)
  }
  return { initialBytes: minimum * PAGE_BYTES, maximumBytes: maximum * PAGE_BYTES }
}

const checkTable = ({ tables: [table] }: ModuleParts) => {
  if (table !== undefined && table.minimum > TABLE_ENTRIES_MAX) {
    refuse(`its table of ${table.minimum} entries is larger than ${TABLE_ENTRIES_MAX}`)
  }
}
