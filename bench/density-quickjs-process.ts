/** quickjs-emscripten with a module, and so a memory, for each context: the way to keep them apart. */
import { newQuickJSWASMModule } from 'quickjs-emscripten'
import { privateKib } from './memory.ts'

const contexts: object[] = []
const keep = async (count: number) => {
  for (let i = 0; i < count; i++) {
    const context = (await newQuickJSWASMModule()).newContext()
    context.unwrapResult(context.evalCode('globalThis.f = (n) => n + 1')).dispose()
    contexts.push(context)
  }
}

await keep(5)
process.on('message', async (count) => {
  const before = privateKib()
  await keep(Number(count))
  process.send?.((privateKib() - before) / Number(count))
})
process.send?.('ready')
