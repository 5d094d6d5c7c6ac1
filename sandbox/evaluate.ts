/** Source texts into an engine: a function's own, and ours. */
import { PRELUDE_NAME } from './constants.ts'
import type { Engine } from './engine.ts'
import { EngineFault } from './engine.ts'
import { GROUP_SOURCES } from './guest/built.ts'
import { isWebGroup, type WebGroup } from './guest/web.ts'
import { LAYOUT } from './wasm-names.ts'

/** A value of JSRuntime's strip flags: functions keep no source, and say `[native code]`, as a page's own do. */
const STRIP_SOURCE = 1

/** What `source` evaluates to, or an exception. */
export const evaluate = (engine: Engine, context: number, source: Uint8Array, name: string, flags: number): number => {
  const [code, file] = [engine.cBytes(source), engine.cString(name)]
  const value = engine.owned(engine.exports.evaluate(context, code, source.length, file, 0, flags))
  // So that what was only read is no part of an image.
  engine.bytes.fill(0, code, code + source.length)
  engine.exports.free(code)
  engine.exports.free(file)
  return value
}

/** The same for source of ours. */
export const evaluateOwn = (engine: Engine, context: number, runtime: number, source: string): number => {
  engine.bytes[runtime + LAYOUT.stripFlags] = STRIP_SOURCE
  const value = evaluate(engine, context, new TextEncoder().encode(source), PRELUDE_NAME, 0)
  engine.bytes[runtime + LAYOUT.stripFlags] = 0
  return value
}

/** What the source of a group of the web's interfaces evaluates to: a function of `use`. */
export const evaluateGroup = (engine: Engine, context: number, runtime: number, name: string): number => {
  if (!isWebGroup(name)) throw new EngineFault('an unknown group')
  return evaluateOwn(engine, context, runtime, GROUP_SOURCES[name satisfies WebGroup])
}

/** Calls a function of the prelude with values, which stand at `scratch` meanwhile. */
export const callOwn = (
  engine: Engine,
  context: number,
  scratch: number,
  target: number,
  args: readonly number[],
): number => {
  for (const [i, arg] of args.entries()) engine.view.setUint32(scratch + 4 * i, arg, true)
  const nothing = engine.exports.getUndefined()
  return engine.owned(engine.exports.call(context, target, nothing, args.length, scratch))
}
