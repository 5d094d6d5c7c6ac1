/** quickjs-emscripten as its README has it: for each message a fresh context, the module evaluated, and one call. */
import { readFileSync } from 'node:fs'
import { getQuickJS } from 'quickjs-emscripten'

const [file = ''] = process.argv.slice(2)
const code = readFileSync(file, 'utf8')
const quickjs = await getQuickJS()

process.on('message', () => {
  const fromMs = performance.now()
  const context = quickjs.newContext()
  context.unwrapResult(context.evalCode(code, 'f.js')).dispose()
  const answer = context.unwrapResult(context.evalCode('f.default(41)')).consume((value) => context.getNumber(value))
  context.dispose()
  const ms = performance.now() - fromMs
  if (answer !== 42) throw new Error(`quickjs-emscripten answered ${answer}`)
  process.send?.(ms)
})
process.send?.('ready')
