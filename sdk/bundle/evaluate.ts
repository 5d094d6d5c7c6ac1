/** For tests: a bundle in a bare engine of the kind that functions run in, without the sandbox round it. */
import { newQuickJSWASMModule } from 'quickjs-emscripten'
import { onTestFinished } from 'vitest'

/**
 * The value of `expression`, in which `module` is the evaluated module; a promise is waited for. It comes back as JSON,
 * typed arrays as arrays. Throws an Error with the guest's words.
 */
export const evaluate = async (code: Uint8Array, expression: string): Promise<unknown> => {
  const engine = (await newQuickJSWASMModule()).newContext()
  onTestFinished(() => engine.dispose())
  const loaded = engine.evalCode(new TextDecoder().decode(code), 'function', { type: 'module' })
  engine.unwrapResult(loaded).consume((module) => engine.setProp(engine.global, 'loaded', module))
  const run = `Promise.resolve(loaded).then((module) => ${expression})
    .then((value) => { globalThis.answer = JSON.stringify({ value }, (_, x) => (ArrayBuffer.isView(x) ? Array.from(x) : x)) })
    .catch((error) => { globalThis.answer = JSON.stringify({ error: String(error) }) })`
  engine.unwrapResult(engine.evalCode(run)).dispose()
  engine.unwrapResult(engine.runtime.executePendingJobs())
  const { value, error } = JSON.parse(engine.getProp(engine.global, 'answer').consume(engine.dump))
  if (error) throw new Error(error)
  return value
}
