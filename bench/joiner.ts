/** A program that joins a mesh and calls once: what a process that is started for one answer does. */
import { connect, fn } from '../node/sdk.ts'

const trivial = fn<typeof import('./trivial.ts').default>(new URL('./trivial.ts', import.meta.url))
const [ticket = ''] = process.argv.slice(2)
const mesh = await connect({ join: [ticket] })
const { n } = await mesh.call(trivial, { n: process.pid }, { verify: 'none', remote: true })
process.send?.({ answered: n === process.pid + 1 })
await mesh.close()
process.disconnect?.()
