/** What is kept of a durable invocation's journal, and in which order its answers are given while its disk is slow. */
import { expect, test } from 'vitest'
import { recordCid } from '../../protocol/cid.ts'
import { encodeCanonical } from '../../protocol/codec.ts'
import { DurableRecord } from '../../protocol/durable.ts'
import type { Answer } from '../../protocol/journal.ts'
import { randomFor } from '../../scripts/test/seed.ts'
import { machine } from '../../scripts/test/world.ts'
import { FakeClock } from '../../simulations/clock.ts'
import type { Rehearsals } from '../rehearsals.ts'
import type { StateEngine } from '../state/engine.ts'
import { openStorageEngine } from '../state/storage-engine.ts'
import { createMemoryStorage } from '../storage/memory.ts'
import type { KeptCheckpoints } from './kept-checkpoints.ts'
import { type KeptJournal, readJournal } from './kept-journal.ts'
import { StoredRun } from './kept-run.ts'
import { INVOCATIONS, PIECES } from './names.ts'

const { crypto } = machine
const cid = recordCid(crypto, encodeCanonical('one'))
const id = cid.toString()
const record: DurableRecord = {
  ...{ v: 1, function: cid, export: 'default', engine: `quickjs:${'5e41'.repeat(16)}`, level: 'self' },
  ...{ limits: { fuel: 1, memory_bytes: 0, output_bytes: 0 }, remote: false, created_ms: 0, deadline_ms: 1 },
  ...{ state: 'running', epoch: 1, journal: 0 },
}
const ok: Answer = { ok: true, value: encodeCanonical(null) }
const REQUESTS = 40

const openState = async (): Promise<StateEngine> => {
  const quotaOf = () => ({ keys: 1000, bytes: 2 ** 20 })
  const engine = await openStorageEngine({ storage: createMemoryStorage(), quotaOf, damaged: () => {} })
  const revision = await engine.revision()
  const begun = [{ namespace: INVOCATIONS, key: id, put: DurableRecord.encode(record) }]
  await engine.commit({ id: 'begun', revision, reads: [], ranges: [], writes: begun })
  return engine
}

const kept = async (engine: StateEngine) =>
  readJournal(crypto, engine, { place: PIECES, id }, 0, await engine.revision())

const runOn = (clock: FakeClock, engine: StateEngine, journal?: KeptJournal) =>
  new StoredRun({ clock, crypto }, engine, {
    ...{ id, record, journal, checkpoints: {} as KeptCheckpoints },
    ...{ rehearsals: {} as Rehearsals, lost: (cause) => expect(cause).toBeUndefined() },
  })

test('answers are given in the order in which they are kept: whoever goes on with the journal comes to the same', async () => {
  const random = randomFor('answers')
  const clock = new FakeClock()
  const engine = await openState()
  const slow: StateEngine = {
    ...{ revision: () => engine.revision(), read: engine.read.bind(engine), list: engine.list.bind(engine) },
    ...{ watch: engine.watch.bind(engine), ensureRoom: engine.ensureRoom.bind(engine), close: () => engine.close() },
    commit: (transaction) =>
      new Promise((resolve) => clock.after(1 + random.below(20), () => resolve(engine.commit(transaction)))),
  }
  const run = runOn(clock, slow)
  const given: number[] = []
  for (let n = 0; n < REQUESTS; n++) {
    // A read need not be kept first; what the clock says must.
    run.requested({ n, after: 0, kind: n % 2 === 0 ? 'get' : 'now', arguments: encodeCanonical([]) })
    clock.after(random.below(50), () => {
      run.answered({ entry: 'answer', n, answer: ok }).then((isKept) => isKept && given.push(n))
    })
  }
  await clock.advance(10_000)
  expect(given).toHaveLength(REQUESTS)
  // What was given before the last that was kept first is kept with it.
  const intended = run.intends()
  await clock.advance(100)
  await intended
  const { entries } = await kept(engine)
  expect(given).toEqual(entries.flatMap(({ entry }) => (entry.entry === 'answer' ? [entry.n] : [])))
})

test('whoever goes on adds to the journal behind its last part, whatever was kept between', async () => {
  const [clock, engine] = [new FakeClock(), await openState()]
  const ask = async (run: StoredRun, n: number) => {
    run.requested({ n, after: n, kind: 'now', arguments: encodeCanonical([]) })
    expect(await run.answered({ entry: 'answer', n, answer: ok })).toBe(true)
  }
  const first = runOn(clock, engine)
  await ask(first, 0)
  // Of what is put blocks are kept alone, before a checkpoint.
  first.keepBlocks([{ cid, bytes: Uint8Array.of(1) }])
  expect(await first.intends()).toBe(true)
  await ask(first, 1)
  await ask(runOn(clock, engine, await kept(engine)), 2)
  const numbers = (await kept(engine)).entries.map(({ entry: { entry, n } }) => `${entry} ${n}`)
  expect(numbers).toEqual([0, 1, 2].flatMap((n) => [`request ${n}`, `answer ${n}`]))
})
