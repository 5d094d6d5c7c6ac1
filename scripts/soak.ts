/**
 * `npm run soak -- --minutes N`: real agents under sustained load, with cancels, errors, joins and leaves. Exit 1 if what
 * any of them holds grows in the second half of the time, if something is left over, or if a call ends as none should.
 */
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { seededRandom } from '../simulations/random.ts'
import { METRICS, type Row, soak } from './soak/run.ts'

const SAMPLES = 120
const EVERY_MS_MIN = 1000
const MINUTE_MS = 60_000

const { minutes: text } = parseArgs({ options: { minutes: { type: 'string', default: '10' } } }).values
const minutes = Number(text)
const seed = Number(process.env.WAYSIDE_SEED ?? randomInt(2 ** 32))
if (!(minutes > 0) || !Number.isInteger(seed)) {
  console.error('usage: npm run soak -- [--minutes N]; WAYSIDE_SEED is an integer')
  process.exit(2)
}

const line = ({ agent, metric, first, median, most, grown, allowed, grows }: Row): string => {
  const figures = [first, median, most, grown, allowed].map((x) => x.toFixed(1).padStart(9))
  return `${String(agent + 1).padStart(5)} ${metric.padEnd(11)}${figures.join('')} ${grows ? 'GROWS' : 'ok'}`
}

console.log(`WAYSIDE_SEED=${seed}`)
const durationMs = minutes * MINUTE_MS
const everyMs = Math.max(EVERY_MS_MIN, durationMs / SAMPLES)
const { rows, ends, samples, after } = await soak(durationMs, everyMs, seededRandom(seed), (agent, atMs, sample) => {
  const held = METRICS.map((metric) => `${metric}=${Math.round(sample[metric])}`).join(' ')
  console.log(`${(atMs / 1000).toFixed(0).padStart(5)} s  agent ${agent + 1}  ${held}`)
})
console.log(
  `\nagent metric        first   median     most    grown  allowed   (${samples} samples; grown: second half)`,
)
for (const row of rows) console.log(line(row))
console.log(
  `\nhow ${[...ends.values()].reduce((sum, n) => sum + n, 0)} things ended: ${[...ends].map(([end, n]) => `${end} ${n}`).join(', ')}`,
)
const growing = rows.filter(({ grows }) => grows)
const left = after.filter(({ queued, in_flight }) => queued + in_flight > 0)
for (const { agent, metric, grown } of growing)
  console.log(`agent ${agent + 1}: ${metric} grows by ${grown.toFixed(1)}`)
if (left.length > 0) console.log(`after the load, work is left over: ${JSON.stringify(left)}`)
console.log(growing.length + left.length === 0 ? 'nothing grows' : 'something grows')
process.exitCode = growing.length + left.length === 0 ? 0 : 1
