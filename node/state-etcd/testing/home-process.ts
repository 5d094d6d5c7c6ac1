/**
 * A home in a process of its own, whose clients count until it is ended. Arguments: a name, endpoints with commas between them,
 * and by how many ms its wall clock is wrong. It prints a line of JSON for each commit that was acknowledged.
 */
import { openEtcdEngine } from '../engine.ts'
import { count } from './counting.ts'

const CLIENTS = 8
const [home = '', endpoints = '', skewMs = '0'] = process.argv.slice(2)

const { now } = Date
Date.now = () => now() + Number(skewMs)

const engine = await openEtcdEngine({
  endpoints: endpoints.split(','),
  home,
  prefix: 'processes/',
  quotaOf: () => ({ keys: 1_000_000, bytes: 2 ** 30 }),
  waitMs: 5000,
})

let isEnding = false
process.stdin.on('end', () => {
  isEnding = true
})
process.stdin.resume()

const client = async (index: number) => {
  for (let n = 0; !isEnding; n++) {
    const acknowledged = await count(engine, `${home}-${index}-${n}`, index + n)
    process.stdout.write(`${JSON.stringify(acknowledged)}\n`)
  }
}
await Promise.all(Array.from({ length: CLIENTS }, (_, index) => client(index)))
await engine.close()
