/**
 * Calls a second in one thread, each in pristine memory, with its input decoded and its outcome encoded; beside one context
 * of quickjs-emscripten, the same engine, that is never made new: JSON text in, JSON text out.
 */
import { getQuickJS, type QuickJSHandle } from 'quickjs-emscripten'
import { ensurePlausible, interleave, median, rounded, row } from './measure.ts'
import { answerOf, beginner, runOf } from './sandbox-runs.ts'

const ROUNDS = 9
const ROUND_MS = 500
const PLAIN_PER_S_MIN = 20_000
/** Iterations of some 100 µs, in either. */
const LOOPS = 1650

const FUNCTIONS = {
  trivial: '(n) => n + 1',
  '100 µs': `(n) => { let x = 0; for (let i = 0; i < ${LOOPS}; i++) x = (x * 31 + i) % 1000003; return n + 1 + 0 * x }`,
}

const perSecond = (call: () => void): number => {
  const fromMs = performance.now()
  let calls = 0
  while (performance.now() - fromMs < ROUND_MS) {
    for (let i = 0; i < 50; i++) call()
    calls += 50
  }
  return (1000 * calls) / (performance.now() - fromMs)
}

const ours = (text: string): (() => void) => {
  const begin = beginner(`export default ${text}`)
  return () => {
    if (answerOf(begin(runOf(41))) !== 42) throw new Error('a wrong answer')
  }
}

const plain = async (text: string): Promise<() => void> => {
  const context = (await getQuickJS()).newContext()
  const source = `(f => (text) => JSON.stringify(f(JSON.parse(text))))(${text})`
  const target = context.unwrapResult(context.evalCode(source))
  return () => {
    const input = context.newString('41')
    const output: QuickJSHandle = context.unwrapResult(context.callFunction(target, context.undefined, input))
    if (JSON.parse(context.getString(output)) !== 42) throw new Error('a wrong answer')
    output.dispose()
    input.dispose()
  }
}

export const run = async (print: (line: string) => void): Promise<Record<string, number>> => {
  const subjects = []
  for (const [name, text] of Object.entries(FUNCTIONS)) {
    const [pristine, reused] = [ours(text), await plain(text)]
    subjects.push({ name: `pristine, ${name}`, run: async () => perSecond(pristine) })
    subjects.push({ name: `plain context, ${name}`, run: async () => perSecond(reused) })
  }
  const results = await interleave(subjects, ROUNDS, 1)
  for (const [name, figures] of results) print(row(name, 'calls/s', figures))
  const of = (name: string) => rounded(median(results.get(name) ?? []))
  ensurePlausible('the plain context', of('plain context, trivial'), PLAIN_PER_S_MIN, 'calls/s')
  return {
    calls_per_s: of('pristine, trivial'),
    plain_calls_per_s: of('plain context, trivial'),
    calls_per_s_100us: of('pristine, 100 µs'),
    plain_calls_per_s_100us: of('plain context, 100 µs'),
  }
}
