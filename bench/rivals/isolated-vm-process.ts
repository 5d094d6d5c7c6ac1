/** isolated-vm: for each message a fresh isolate from a snapshot in which the script has been evaluated, and one call. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

interface Isolate {
  createContextSync(): { evalSync(code: string): unknown }
  dispose(): void
}
interface IsolatedVm {
  Isolate: { new (options: { snapshot: object }): Isolate; createSnapshot(scripts: { code: string }[]): object }
}

const require = createRequire(import.meta.url)
const { Isolate } = require('isolated-vm') as IsolatedVm

const [file = ''] = process.argv.slice(2)
const snapshot = Isolate.createSnapshot([{ code: readFileSync(file, 'utf8') }])

process.on('message', () => {
  const isolate = new Isolate({ snapshot })
  const answer = isolate.createContextSync().evalSync('f.default(41)')
  process.send?.(answer)
  isolate.dispose()
})
process.send?.('ready')
