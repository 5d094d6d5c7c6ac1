/**
 * Items per second of a trivial function over 100,000 items at `none` on two agents, batches sized by themselves.
 * Rivals: Piscina natively and with the same sandbox in its threads, and one HTTP worker a core; item by item, and in
 * chunks of 100 sized by hand.
 */
import { connect, fn, type Mesh } from '../node/sdk.ts'
import { startAgent } from './agents.ts'
import { httpCaller } from './http-client.ts'
import { idealSpeedup } from './ideal.ts'
import { ensurePlausible, interleave, median, rounded, row } from './measure.ts'
import { start } from './processes.ts'
import { chunksOf, codeOf, createRivalPool, drain } from './rival-pool.ts'

const ITEMS = 100_000
/** Item by item a rival is slow: a part of the items measures it as well. */
const ITEMS_ONE_BY_ONE = 20_000
const CHUNK = 100
const IN_FLIGHT = 128
const ROUNDS = 3
/** An eighth of what it makes on two idle cores. */
const PISCINA_ITEMS_PER_S_MIN = 5000

const SOURCE = new URL('./trivial.ts', import.meta.url)
const inputs = (count: number) => Array.from({ length: count }, (_, n) => ({ n }))

/** Items per second of `run`, which handles `count` of them. */
const rate = async (count: number, run: () => Promise<unknown>): Promise<number> => {
  const startMs = performance.now()
  await run()
  return (count * 1000) / (performance.now() - startMs)
}

const mapOnMesh = async (mesh: Mesh): Promise<void> => {
  const trivial = fn<typeof import('./trivial.ts').default>(SOURCE)
  let next = 0
  for await (const item of mesh.map(trivial, inputs(ITEMS), { verify: 'none', remote: true })) {
    if (!item.ok || item.value.n !== next + 1) throw new Error(`item ${next} came back wrong`)
    next++
  }
  if (next !== ITEMS) throw new Error(`${next} of ${ITEMS} items came back`)
}

const subjectsOf = async (mesh: Mesh) => {
  const pool = createRivalPool()
  const code = await codeOf(SOURCE)
  const workers = await Promise.all([start<number>('./http-worker.ts'), start<number>('./http-worker.ts')])
  const callers = workers.map(({ ready }) => httpCaller(ready, IN_FLIGHT))
  let turn = 0
  const http = (body: unknown) => callers[turn++ % callers.length]?.(body) ?? Promise.reject()
  const few = inputs(ITEMS_ONE_BY_ONE)
  const chunks = chunksOf(inputs(ITEMS), CHUNK)
  const subjects = [
    { name: 'ours', run: () => rate(ITEMS, () => mapOnMesh(mesh)) },
    {
      name: 'piscina',
      run: () => rate(few.length, () => drain(few, IN_FLIGHT, (item) => pool.run([item], { name: 'runTrivial' }))),
    },
    {
      name: 'piscina chunked',
      run: () => rate(ITEMS, () => drain(chunks, 8, (items) => pool.run(items, { name: 'runTrivial' }))),
    },
    {
      name: 'piscina sandbox',
      run: () =>
        rate(few.length, () =>
          drain(few, IN_FLIGHT, (item) => pool.run({ code, items: [item] }, { name: 'runInSandbox' })),
        ),
    },
    {
      name: 'piscina sandbox chunked',
      run: () => rate(ITEMS, () => drain(chunks, 8, (items) => pool.run({ code, items }, { name: 'runInSandbox' }))),
    },
    { name: 'http', run: () => rate(few.length, () => drain(few, IN_FLIGHT, http)) },
    { name: 'http chunked', run: () => rate(ITEMS, () => drain(chunks, 8, http)) },
  ]
  return { subjects, close: () => pool.destroy() }
}

export const run = async (print: (line: string) => void): Promise<Record<string, number>> => {
  const ideal = await idealSpeedup()
  const first = await startAgent({ cpus: 1 })
  const second = await startAgent({ cpus: 1, join: first.ticket })
  const mesh = await connect({ join: [first.ticket, second.ticket] })
  const { subjects, close } = await subjectsOf(mesh)
  const results = await interleave(subjects, ROUNDS, 1)
  await close()
  await mesh.close()
  await Promise.all([first.stop(), second.stop()])
  for (const [name, rates] of results) print(row(name, 'items/s', rates))
  const of = (name: string) => rounded(median(results.get(name) ?? []))
  ensurePlausible('piscina', of('piscina'), PISCINA_ITEMS_PER_S_MIN, 'items/s')
  // In chunks the same threads do the same with fewer messages.
  for (const rival of ['piscina', 'piscina sandbox', 'http'])
    ensurePlausible(`${rival} chunked`, of(`${rival} chunked`), of(rival), 'items/s')
  return {
    items_per_s: of('ours'),
    piscina_items_per_s: of('piscina'),
    piscina_chunked_items_per_s: of('piscina chunked'),
    piscina_sandbox_items_per_s: of('piscina sandbox'),
    piscina_chunked_sandbox_items_per_s: of('piscina sandbox chunked'),
    http_items_per_s: of('http'),
    http_chunked_items_per_s: of('http chunked'),
    ratio_to_chunked_sandbox: rounded(of('ours') / of('piscina sandbox chunked')),
    ideal_speedup_2: rounded(ideal),
  }
}
