/** The bank of `simulations/bank-calls.ts` on six agents, each a process: one forges, and honest executors are killed. */
import { setTimeout as sleep } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import { FUEL_DEFAULT, LIST_ENTRIES_MAX, MEMORY_BYTES_DEFAULT, OUTPUT_BYTES_MAX } from '../../protocol/limits.ts'
import type { Random } from '../../protocol/ports.ts'
import { decodeValue, encodeValue, type Value } from '../../protocol/values.ts'
import { Agents, type DemoAgent } from '../../scripts/demo/agents.ts'
import { answerOf } from '../../sdk/answer.ts'
import { ACCOUNT_PREFIX, BANK, BankCalls, DONE_PREFIX } from '../../simulations/bank-calls.ts'
import { createControlBackend } from '../control/backend.ts'
import { type AgentClient, connectAgent } from '../control/client.ts'

const CALL_MS_MAX = 60_000
/** Between two kills at most. */
const BREATH_MS = 400

const NAMESPACE = 'bank'

/** The first keeps the bank. They end with the running test. */
const startAgents = async () => {
  const agents = new Agents(['honest', 'honest', 'honest', 'forger', 'honest', 'honest'])
  onTestFinished(() => agents.stop())
  await agents.start(() => {})
  const client = await connectAgent((agents.all[0] as DemoAgent).data)
  onTestFinished(() => client.close())
  return { agents, client }
}

/** All entries below the prefix, without it. */
const listAll = async (client: AgentClient, prefix: string) => {
  const found: { name: string; version: number; value: Value }[] = []
  const pageAfter = (after: string | null) => {
    const request = { t: 'state_list' as const, namespace: NAMESPACE, prefix, after, limit: LIST_ENTRIES_MAX }
    return client.ask({ ...request, revision: null, arriving: null }, 'state_page')
  }
  for (let page = await pageAfter(null); ; page = await pageAfter(page.entries.at(-1)?.key ?? null)) {
    for (const { key, version, value } of page.entries)
      found.push({ name: key.slice(prefix.length), version, value: decodeValue(value) })
    if (!page.more) return found
  }
}

/** Kills one honest executor after the other until so many were killed, each while calls are under way. */
const killExecutors = async (agents: Agents, random: Random, kills: number, killed: () => void): Promise<void> => {
  for (let kill = 0; kill < kills; kill++) {
    await sleep(random.below(BREATH_MS))
    const honest = agents.all.filter(({ number, role }) => number > 1 && role === 'honest')
    await agents.killAndRevive(honest[random.below(honest.length)] as DemoAgent)
    killed()
  }
}

export interface BankDay {
  wrong: string[]
  calls: number
  audits: number
  kills: number
  lies: number
}

/** Clients at `level` end once they have made `calls`, `kills` came, and the forger was found out. */
export const runBankDay = async (
  level: string,
  { calls, kills, random }: { calls: number; kills: number; random: Random },
): Promise<BankDay> => {
  const { agents, client } = await startAgents()
  const backend = createControlBackend(client)
  const code = new TextEncoder().encode(BANK.code)
  const limits = { fuel: FUEL_DEFAULT, memory_bytes: MEMORY_BYTES_DEFAULT, output_bytes: OUTPUT_BYTES_MAX }
  const { cid } = await backend.publish({ name: 'bank', ...BANK, code, limits })
  const grants = { DB: { state: NAMESPACE } }
  const options = { function: cid, verify: level, timeoutMs: CALL_MS_MAX, remote: true, receipt: false, grants }
  let killed = 0
  const bank = new BankCalls({
    ...{ random, calls, pause: sleep },
    isOver: ({ lies }) => lies > 0 && killed === kills,
    call: async (name, input) => {
      const { outcome, disputes } = await backend.call({ ...options, export: name, input: encodeValue(input) })
      return { value: answerOf(outcome, (text) => text), lies: disputes.length }
    },
  })
  await bank.open()
  await Promise.all([bank.run(), killExecutors(agents, random, kills, () => killed++)])
  const done = await listAll(client, DONE_PREFIX)
  const accounts = await listAll(client, ACCOUNT_PREFIX)
  const wrong = bank.judge(
    new Map(done.map(({ name, version }) => [name, version])),
    accounts.map(({ value }) => (value as { balance: number }).balance),
  )
  return { wrong, calls: bank.calls, audits: bank.audits, kills: killed, lies: bank.lies }
}
