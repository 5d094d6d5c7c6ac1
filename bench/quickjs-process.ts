/** quickjs-emscripten as its README has it: for each script that it is told of a fresh context, the script evaluated, and one call. */
import { readFileSync } from 'node:fs'
import { getQuickJS } from 'quickjs-emscripten'

const quickjs = await getQuickJS()

process.on('message', (file: string) => {
  const context = quickjs.newContext()
  context.unwrapResult(context.evalCode(readFileSync(file, 'utf8'), 'f.js')).dispose()
  const answer = context.unwrapResult(context.evalCode('f.default(41)')).consume((value) => context.getNumber(value))
  context.dispose()
  process.send?.(answer)
})
process.send?.('ready')
