/** Keeps sandboxes alive, each in the middle of a call of the 1 kB function, and tells how much memory is its own. */
import { fileURLToPath } from 'node:url'
import { bundle } from '../sdk/bundle/bundle.ts'
import { privateKib } from './memory.ts'
import { beginner, runOf } from './sandbox-runs.ts'

const SMALL = fileURLToPath(new URL('./functions/small.ts', import.meta.url))
const WAITS = 'export const waits = async (n, env, ctx) => ctx.call("#default", n)'

const begin = beginner(`${new TextDecoder().decode((await bundle(SMALL)).code)}\n${WAITS}\n`, { effects: ['call'] })
const wait = (n: number) => {
  const handle = begin({ ...runOf(n), exportName: 'waits' })
  if (handle.result) throw new Error(`it did not wait: ${JSON.stringify(handle.result)}`)
  return handle
}

const handles: object[] = []
const keep = (count: number) => {
  for (let i = 0; i < count; i++) handles.push(wait(handles.length))
}

// Code is compiled and caches are filled before it counts.
keep(20)
process.on('message', (count) => {
  const before = privateKib()
  keep(Number(count))
  process.send?.((privateKib() - before) / Number(count))
})
process.send?.('ready')
