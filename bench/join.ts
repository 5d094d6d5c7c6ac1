/**
 * How soon a newcomer is of use, and of use to itself, in a mesh of 20 real agents of which it knows one: from the start
 * of its process to the first call that it answers for another member than that one, and to the answer to its own first
 * call. Floor: a process that starts, imports the same, and does nothing.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { connect, fn, type Mesh, MeshError } from '../node/sdk.ts'
import { type BenchAgent, startAgent } from './agents.ts'
import { ensurePlausible, interleave, median, rounded, row } from './measure.ts'

const MEMBERS = 20
const ROUNDS = 7
/** On two cores a start of several at once is no faster, and dials would time out. */
const STARTING_MAX = 4
/** A newcomer is called again that soon while nobody knows it yet. */
const RETRY_MS = 10
/** Half a second to load what a peer is made of, and to do nothing: another program had the cores. */
const FLOORS_PER_S_MIN = 0.5

const trivial = fn<typeof import('./trivial.ts').default>(new URL('./trivial.ts', import.meta.url))
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

const startMembers = async (): Promise<BenchAgent[]> => {
  const first = await startAgent({ cpus: 1 })
  const members = [first]
  while (members.length < MEMBERS - 1) {
    const count = Math.min(STARTING_MAX, MEMBERS - 1 - members.length)
    members.push(
      ...(await Promise.all(Array.from({ length: count }, () => startAgent({ cpus: 1, join: first.ticket })))),
    )
  }
  return members
}

/** One program's time from its start to its word that it is done. */
const timed = async (file: string, args: readonly string[]): Promise<number> => {
  const startMs = performance.now()
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), args, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const ended = once(child, 'exit')
  const failed = ended.then(([code]) => {
    throw new Error(`${file} ended with ${code} and answered nothing`)
  })
  const [{ answered }] = (await Promise.race([once(child, 'message'), failed])) as [{ answered: boolean }]
  const ms = performance.now() - startMs
  if (!answered) throw new Error(`${file} was answered wrongly`)
  await ended
  return ms
}

/** Calls until somebody answers, which only the newcomer can. */
const firstAnswer = async (caller: Mesh, n: number): Promise<void> => {
  for (;;) {
    try {
      await caller.call(trivial, { n }, { verify: 'none', remote: true })
      return
    } catch (cause) {
      if (!(cause instanceof MeshError) || cause.code !== 'E_NO_PEER') throw cause
      await wait(RETRY_MS)
    }
  }
}

let rounds = 0

/** All members but the newcomer are paused. The one that calls is not the one whose address the newcomer knows. */
const callable = async (ticket: string, caller: Mesh): Promise<number> => {
  const startMs = performance.now()
  const starting = startAgent({ cpus: 1, join: ticket })
  await firstAnswer(caller, -++rounds)
  const ms = performance.now() - startMs
  await (await starting).stop()
  return ms
}

export const run = async (print: (line: string) => void): Promise<Record<string, number>> => {
  const members = await startMembers()
  const [first, other] = members as [BenchAgent, BenchAgent]
  print(`${members.length} agents are up`)
  const caller = await connect({ data: other.data })
  const floor = { name: 'floor: Node and its imports', run: () => timed('./imports.ts', []) }
  await Promise.all(members.map((member) => member.pause()))
  const answering = await interleave(
    [{ name: 'callable', run: () => callable(first.ticket, caller) }, floor],
    ROUNDS,
    1,
  )
  await caller.close()
  await Promise.all(members.map((member) => member.resume()))
  const last = await startAgent({ cpus: 1, join: first.ticket })
  const calling = await interleave(
    [{ name: 'caller', run: () => timed('./joiner.ts', [first.ticket]) }, floor],
    ROUNDS,
    1,
  )
  await Promise.all([...members, last].map((member) => member.stop()))
  for (const [name, times] of [...answering, ...calling]) print(row(name, 'ms', times))
  const of = (results: Map<string, number[]>, name: string) => rounded(median(results.get(name) ?? []))
  const floorMs = of(calling, floor.name)
  ensurePlausible('the floor', 1000 / floorMs, FLOORS_PER_S_MIN, 'starts/s')
  return { callable_ms: of(answering, 'callable'), caller_ms: of(calling, 'caller'), floor_ms: floorMs }
}
