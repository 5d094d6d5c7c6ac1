import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkProperty, randomFor } from '../../scripts/test/seed.ts'
import { seededRandom } from '../random.ts'
import type { History, Recorded, Seen } from './history.ts'
import { checkHistory } from './serialisability.ts'
import { serialHistory } from './testing/serial-history.ts'

/** All at once, unless it says otherwise. */
const t = (id: string, parts: Partial<Recorded>): Recorded => ({
  ...{ id, beganAt: 0, endedAt: 100, outcome: 'committed', snapshot: 0, reads: [], lists: [], writes: [] },
  ...parts,
})
const saw = (key: string, version: number, value: number): Seen => ({ key, version, value })
const nothing = (key: string): Seen => saw(key, 0, 0)
const wrote = (key: string, value: number) => ({ key, value })
const setUp = t('T0', { beganAt: -2, endedAt: -1, revision: 1, writes: [wrote('x', 1), wrote('y', 2)] })
const x1 = saw('x', 1, 1)
const y1 = saw('y', 1, 2)

const WRONG: [anomaly: string, transactions: string[], says: string, history: History][] = [
  [
    'lost update',
    ['T1', 'T2'],
    'T2 read x as it was before T1 wrote x as version 2',
    [
      setUp,
      t('T1', { snapshot: 1, revision: 2, reads: [x1], writes: [wrote('x', 3)] }),
      t('T2', { snapshot: 1, revision: 3, reads: [x1], writes: [wrote('x', 4)] }),
    ],
  ],
  [
    'write skew',
    ['T1', 'T2'],
    'T1 read y as it was before T2 wrote y as version 3',
    [
      setUp,
      t('T1', { snapshot: 1, revision: 2, reads: [x1, y1], writes: [wrote('x', 3)] }),
      t('T2', { snapshot: 1, revision: 3, reads: [x1, y1], writes: [wrote('y', 4)] }),
    ],
  ],
  [
    'long fork',
    ['R1', 'R2', 'T1', 'T2'],
    'R1 read y as it was before T2 wrote y as version 3',
    [
      setUp,
      t('T1', { revision: 2, writes: [wrote('x', 3)] }),
      t('T2', { revision: 3, writes: [wrote('y', 4)] }),
      t('R1', { snapshot: 3, reads: [saw('x', 2, 3), y1] }),
      t('R2', { snapshot: 3, reads: [x1, saw('y', 3, 4)] }),
    ],
  ],
  [
    'read skew',
    ['R', 'T1'],
    'R read x as it was before T1 wrote x as version 2',
    [
      setUp,
      t('T1', { revision: 2, writes: [wrote('x', 3), wrote('y', 4)] }),
      t('R', { snapshot: 2, reads: [x1, saw('y', 2, 4)] }),
    ],
  ],
  [
    'stale read',
    ['R', 'T1'],
    'T1 had ended (event 9) before R began (event 10)',
    [
      setUp,
      t('T1', { beganAt: 5, endedAt: 9, snapshot: 1, revision: 2, writes: [wrote('x', 3)] }),
      t('R', { beganAt: 10, endedAt: 12, snapshot: 1, reads: [x1] }),
    ],
  ],
  [
    'stale read',
    ['R', 'T1'],
    'R read x as it was before T1 deleted x as version 2',
    [
      setUp,
      t('T1', { beganAt: 5, endedAt: 9, snapshot: 1, revision: 2, writes: [wrote('x', 0)] }),
      t('R', { beganAt: 10, endedAt: 12, snapshot: 1, reads: [x1] }),
    ],
  ],
  [
    'real-time reversal',
    ['T1', 'T2'],
    'T2 wrote x before T1 wrote x as version 3, the next version',
    [
      setUp,
      t('T1', { beganAt: 1, endedAt: 2, revision: 3, writes: [wrote('x', 3)] }),
      t('T2', { beganAt: 3, endedAt: 4, revision: 2, writes: [wrote('x', 4)] }),
    ],
  ],
  [
    // The second is in the order of versions before the first, and neither touches what the other does.
    'stale read',
    ['R', 'T1', 'T2'],
    'T1 had ended (event 2) before T2 began (event 3)',
    [
      setUp,
      t('T1', { beganAt: 1, endedAt: 2, revision: 2, writes: [wrote('x', 3)] }),
      t('T2', { beganAt: 3, endedAt: 4, revision: 3, writes: [wrote('y', 4)] }),
      t('R', { snapshot: 3, reads: [x1, saw('y', 3, 4)] }),
    ],
  ],
  [
    'G1a aborted read',
    ['T1', 'R'],
    'R read write 3 (version 2) under x, which T1 wrote, and T1 was aborted',
    [setUp, t('T1', { outcome: 'aborted', writes: [wrote('x', 3)] }), t('R', { snapshot: 2, reads: [saw('x', 2, 3)] })],
  ],
  [
    'G1b intermediate read',
    ['T1', 'R'],
    'R read write 3 (version 2) under x, which T1 replaced itself before it committed',
    [
      setUp,
      t('T1', { revision: 2, writes: [wrote('x', 3), wrote('x', 4)] }),
      t('R', { snapshot: 2, reads: [saw('x', 2, 3)] }),
    ],
  ],
  [
    'G1c circular information flow',
    ['T1', 'T2'],
    'T1 wrote x as version 2, and T2 saw that',
    [
      setUp,
      t('T1', { snapshot: 1, revision: 2, reads: [saw('y', 3, 4)], writes: [wrote('x', 3)] }),
      t('T2', { snapshot: 1, revision: 3, reads: [saw('x', 2, 3)], writes: [wrote('y', 4)] }),
    ],
  ],
  [
    'phantom',
    ['T1', 'T2'],
    'T1 made a list without p2, and T2 wrote p2 as version 3 after that',
    [
      t('T1', { revision: 2, lists: [{ prefix: 'p', seen: [] }], writes: [wrote('p1', 3)] }),
      t('T2', { revision: 3, lists: [{ prefix: 'p', seen: [] }], writes: [wrote('p2', 4)] }),
    ],
  ],
  [
    'stale read',
    ['R', 'T1'],
    'R made a list without p1, and T1 wrote p1 as version 2 after that',
    [
      t('T1', { beganAt: 5, endedAt: 9, snapshot: 1, revision: 2, writes: [wrote('p1', 3)] }),
      t('R', { beganAt: 10, endedAt: 12, snapshot: 1, lists: [{ prefix: 'p', seen: [] }] }),
    ],
  ],
  [
    'duplicate version',
    ['T1', 'T2'],
    'T1 and T2 were both committed as version 2',
    [setUp, t('T1', { revision: 2, writes: [wrote('x', 3)] }), t('T2', { revision: 2, writes: [wrote('z', 4)] })],
  ],
  [
    'committed twice',
    ['T1', 'R'],
    'R read write 3 (version 2) under x, which T1 committed as version 3',
    [setUp, t('T1', { revision: 3, writes: [wrote('x', 3)] }), t('R', { snapshot: 2, reads: [saw('x', 2, 3)] })],
  ],
  [
    'unwritten value',
    ['R'],
    'R read write 7 (version 1) under x, which nobody wrote there',
    [setUp, t('R', { snapshot: 1, reads: [saw('x', 1, 7)] })],
  ],
  [
    // Nobody answered it, but somebody has seen it: from then on it is there.
    'stale read',
    ['R2', 'R1', 'T1'],
    'T1 wrote x as version 2, and R1 saw that',
    [
      setUp,
      t('T1', { outcome: 'unknown', snapshot: 1, writes: [wrote('x', 3)] }),
      t('R1', { beganAt: 5, endedAt: 9, snapshot: 2, reads: [saw('x', 2, 3)] }),
      t('R2', { beganAt: 10, endedAt: 12, snapshot: 1, reads: [x1] }),
    ],
  ],
]

test.each(WRONG)('%s of %j: %s', (anomaly, transactions, says, history) => {
  const [first, ...others] = checkHistory(history)
  expect(first?.anomaly).toBe(anomaly)
  expect([...(first?.transactions ?? [])].sort()).toEqual([...transactions].sort())
  expect(first?.words).toContain(says)
  expect(others).toEqual([])
})

const RIGHT: [what: string, history: History][] = [
  ['nothing at all', []],
  [
    'what overlaps may be seen or not',
    [setUp, t('T1', { revision: 2, writes: [wrote('x', 3)] }), t('R', { snapshot: 1, reads: [x1] })],
  ],
  [
    'a transaction without an answer that nobody has seen never was',
    [
      setUp,
      t('T1', { outcome: 'unknown', endedAt: 1, writes: [wrote('x', 3)] }),
      t('R', { beganAt: 10, endedAt: 12, snapshot: 1, reads: [x1] }),
    ],
  ],
  [
    'one that was seen long after has been committed',
    [
      setUp,
      t('T1', { outcome: 'unknown', endedAt: 1, writes: [wrote('x', 3)] }),
      t('R1', { beganAt: 5, endedAt: 6, snapshot: 1, reads: [x1] }),
      t('R2', { beganAt: 10, endedAt: 12, snapshot: 2, reads: [saw('x', 2, 3)] }),
    ],
  ],
  [
    'a deletion without an answer may be why there is nothing',
    [
      setUp,
      t('T1', { outcome: 'unknown', endedAt: 1, writes: [wrote('x', 0)] }),
      t('R', { beganAt: 10, endedAt: 12, snapshot: 2, reads: [nothing('x')], lists: [{ prefix: 'x', seen: [] }] }),
    ],
  ],
  [
    'a key comes and goes',
    [
      setUp,
      t('T1', { beganAt: 1, endedAt: 2, revision: 2, writes: [wrote('x', 0)] }),
      t('R1', { beganAt: 3, endedAt: 4, snapshot: 2, reads: [nothing('x')] }),
      t('T2', { beganAt: 5, endedAt: 6, revision: 3, writes: [wrote('x', 3)] }),
      t('R2', { beganAt: 7, endedAt: 8, snapshot: 3, reads: [saw('x', 3, 3)] }),
    ],
  ],
  [
    'what is outside of a list’s bounds is not in it',
    [
      t('T1', {
        beganAt: 1,
        endedAt: 2,
        revision: 1,
        writes: ['p1', 'p2', 'p3', 'q'].map((key, i) => wrote(key, i + 1)),
      }),
      t('R', {
        ...{ beganAt: 3, endedAt: 4, snapshot: 1 },
        lists: [{ prefix: 'p', after: 'p1', through: 'p2', seen: [saw('p2', 1, 2)] }],
      }),
    ],
  ],
]

test.each(RIGHT)('right: %s', (_, history) => {
  expect(checkHistory(history)).toEqual([])
})

test('a history that contradicts itself is refused', () => {
  const twice = [t('T1', { revision: 1, writes: [wrote('x', 1)] }), t('T2', { revision: 2, writes: [wrote('y', 1)] })]
  expect(() => checkHistory(twice)).toThrow('write 1 of T2 is there twice')
  expect(() => checkHistory([t('T1', { writes: [wrote('x', 1)] })])).toThrow('T1 has no revision')
})

const seeds = fc.integer({ min: 0, max: 2 ** 32 - 1 })
const generated = (seed: number, transactions = 60) => serialHistory(seededRandom(seed), { transactions, keys: 12 })

test('whatever comes of transactions one after another is right, in whatever order it is written down', async () => {
  const property = fc.property(seeds, (seed) => {
    const history = [...generated(seed)]
    expect(checkHistory(history)).toEqual([])
    expect(checkHistory(history.reverse())).toEqual([])
  })
  await checkProperty('serial', property, { runs: 200 })
})

/** Whoever had begun, and lost its answer: each may count as never there if nobody saw it. */
test('answers that are lost make no right history wrong', async () => {
  const property = fc.property(seeds, (seed) => {
    const random = seededRandom(seed)
    const history = generated(seed).map(
      (one): Recorded =>
        random.below(4) === 0 ? { ...one, outcome: 'unknown', endedAt: one.beganAt, revision: undefined } : one,
    )
    expect(checkHistory(history)).toEqual([])
  })
  await checkProperty('lost answers', property, { runs: 200 })
})

/** An earlier version than the one that was read, where the later one had ended before the reader began. */
const madeStale = (history: History, below: (limit: number) => number): History | undefined => {
  const readers = history.flatMap((reader, index) =>
    reader.reads.flatMap((seen, read) => {
      const writer = history.find(({ writes }) => seen.value !== 0 && writes.some(({ value }) => value === seen.value))
      const isAfter = writer !== undefined && writer.endedAt < reader.beganAt
      const older = history.findLast(
        ({ revision = Infinity, writes }) => revision < seen.version && writes.some(({ key }) => key === seen.key),
      )
      return isAfter && older ? [{ index, read, seen, older }] : []
    }),
  )
  const chosen = readers[below(Math.max(1, readers.length))]
  if (!chosen) return undefined
  const { key } = chosen.seen
  const last = chosen.older.writes.findLast((written) => written.key === key)
  const stale = last?.value ? saw(key, chosen.older.revision ?? 0, last.value) : undefined
  if (!stale) return undefined
  return history.map((one, index) =>
    index === chosen.index ? { ...one, reads: one.reads.map((seen, i) => (i === chosen.read ? stale : seen)) } : one,
  )
}

test('one read of a right history made stale is found', async () => {
  let found = 0
  const property = fc.property(seeds, (seed) => {
    const history = madeStale(generated(seed), seededRandom(seed).below)
    if (!history) return
    found += 1
    expect(checkHistory(history)).not.toEqual([])
  })
  await checkProperty('stale', property, { runs: 300 })
  expect(found).toBeGreaterThan(50)
})

test('two neighbours of a right history whose revisions are exchanged are found if one depends on the other', async () => {
  let found = 0
  const property = fc.property(seeds, (seed) => {
    const history = generated(seed)
    const writers = history.filter(({ writes }) => writes.length > 0)
    const at = seededRandom(seed).below(writers.length - 1)
    const [a, b] = [writers[at] as Recorded, writers[at + 1] as Recorded]
    const isRead = b.reads.some((seen) => a.writes.some(({ value }) => value !== 0 && value === seen.value))
    if (!isRead) return
    found += 1
    const exchanged = history.map((one) =>
      one === a ? { ...one, revision: b.revision } : one === b ? { ...one, revision: a.revision } : one,
    )
    expect(checkHistory(exchanged)).not.toEqual([])
  })
  await checkProperty('exchanged', property, { runs: 400 })
  expect(found).toBeGreaterThan(10)
})

test('100,000 transactions take ten times three seconds of a processor at most', () => {
  const history = serialHistory(randomFor('large'), { transactions: 100_000, keys: 1000 })
  const before = process.cpuUsage()
  expect(checkHistory(history)).toEqual([])
  expect(process.cpuUsage(before).user / 1e6).toBeLessThan(30)
})

test('one wrong transaction among 100,000 is found and shown alone', () => {
  const history = [...serialHistory(randomFor('large and wrong'), { transactions: 100_000, keys: 1000 })]
  const late = history.findIndex(({ writes }, index) => index > 50_000 && writes.some(({ value }) => value !== 0))
  const { writes, revision = 0, endedAt } = history[late] as Recorded
  const { key } = writes.find(({ value }) => value !== 0) as { key: string }
  history.push(t('R', { beganAt: endedAt + 1, endedAt: endedAt + 2, snapshot: 0, reads: [nothing(key)] }))
  const [violation] = checkHistory(history)
  expect(violation).toMatchObject({ anomaly: 'stale read' })
  expect(violation?.transactions).toHaveLength(2)
  expect(revision).toBeGreaterThan(0)
})
