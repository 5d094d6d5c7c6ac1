/**
 * `npm run vopr -- --minutes N [--peers N]`: short worlds of three to eight peers, or of as many as asked for, of one fresh seed after
 * another, until the time is over. Each that finds something is run again, printed with the line that repeats it, and kept for `npm test`; then exit 1.
 */
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { scenario } from '../../simulations/scenarios/short.ts'
import { machine } from './machine.ts'
import { findingOf, performRun } from './run.ts'

const SEED_LIMIT = 2 ** 32
const PEERS_MIN = 3
const PEERS_MAX = 8
/** A world of 200 takes a minute, and of twice as many four times that. */
const ASKED_MAX = 1000
const SAY_EVERY_MS = 60_000

/** Throws for what is no number of the kind. */
const asked = (): { minutes: number; peers?: number } => {
  const { values } = parseArgs({ options: { minutes: { type: 'string', default: '1' }, peers: { type: 'string' } } })
  const minutes = Number(values.minutes)
  if (!(minutes > 0 && Number.isFinite(minutes))) throw new Error(`--minutes ${values.minutes} is no positive number`)
  if (values.peers === undefined) return { minutes }
  const peers = Number(values.peers)
  if (!(/^\d+$/.test(values.peers) && peers >= PEERS_MIN && peers <= ASKED_MAX))
    throw new Error(`--peers ${values.peers} is no integer from ${PEERS_MIN} to ${ASKED_MAX}`)
  return { minutes, peers }
}

const explore = async ({ minutes, peers: wanted }: ReturnType<typeof asked>): Promise<0 | 1> => {
  const endMs = performance.now() + minutes * 60_000
  let [worlds, failed, saidMs] = [0, 0, performance.now()]
  const say = () => console.log(`${worlds} worlds, ${failed} with something wrong`)
  for (; performance.now() < endMs; worlds++) {
    const peers = wanted ?? PEERS_MIN + randomInt(1 + PEERS_MAX - PEERS_MIN)
    const setting = { machine, seed: randomInt(SEED_LIMIT), peers }
    if ((await findingOf(scenario, setting)).violations.length > 0) {
      failed += 1
      await performRun(scenario, { name: 'short', setting, json: false }, console)
    }
    if (performance.now() - saidMs < SAY_EVERY_MS) continue
    saidMs = performance.now()
    say()
  }
  say()
  return failed > 0 ? 1 : 0
}

try {
  process.exitCode = await explore(asked())
} catch (cause) {
  console.error((cause as Error).message)
  console.error('usage: npm run vopr -- --minutes N [--peers N]')
  process.exitCode = 2
}
