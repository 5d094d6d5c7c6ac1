/** A process that was taken over says whatever it likes: the pool ends it or is none the worse. */
import { describe, expect, test } from 'vitest'
import { encodeCanonical } from '../protocol/codec.ts'
import type { Random } from '../protocol/ports.ts'
import { randomFor } from '../scripts/test/seed.ts'
import type { Report } from './frames.ts'
import { done, FINISHED, OUTCOME, ok, type ToldProcess, world } from './pool-fixture.ts'

const ROUNDS = 1500
const FRAMES_A_ROUND = 12

const pick = <T>(random: Random, list: readonly T[]): T => list[random.below(list.length)] as T

/** Anything, and now and then what is right. */
const anything = (random: Random, depth = 0): unknown => {
  const kinds = [
    () => random.below(5),
    () => random.below(2 ** 31) - 2 ** 30,
    () => pick(random, [-1, 0.5, 2 ** 53 - 1, -(2 ** 53) + 1, 10_000, 9_999]),
    () => pick(random, ['', 'f', 'call', 'done', '__proto__', 'constructor', 'x'.repeat(5000)]),
    () => pick(random, [null, true, false]),
    () => random.bytes(random.below(40)),
    () => OUTCOME,
    () => OUTCOME.slice(0, random.below(OUTCOME.length)),
    () => Array.from({ length: random.below(4) }, () => (depth < 3 ? anything(random, depth + 1) : 0)),
    () => (depth < 3 ? { [pick(random, ['a', '/', '__proto__', 'then'])]: anything(random, depth + 1) } : {}),
  ]
  return pick(random, kinds)()
}

const KINDS = [
  'done',
  'failed',
  'diverged',
  'stopped',
  'waiting',
  'lacks',
  'request',
  'fuel',
  'trace',
  'image',
  'nothing',
  'toString',
] as const

/** A report of a known kind that a process may send about run `id`, whether it is its turn or not. */
const wellFormed = (random: Random, id: number): Report =>
  pick<() => Report>(random, [
    () => ['done', id, OUTCOME, random.below(1e6)],
    () => ['failed', id, 'x'.repeat(random.below(50))],
    () => ['diverged', id, random.below(3), 'a', 'b'],
    () => ['stopped', id, random.below(3), 0, 'call', Uint8Array.of(0xf6), [], random.below(1e6)],
    () => ['waiting', id],
    () => ['lacks', id],
    () => ['request', id, random.below(3), random.below(3), 'call', Uint8Array.of(0xf6)],
    () => ['fuel', id, random.below(1e9)],
    () => ['trace', id, [{ tick: random.below(9), hash: random.bytes(pick(random, [32, 32, 31])) }]],
    () => ['image', random.below(1e6), pick(random, ['f', 'g', '']), random.bytes(8)],
  ])()

const frame = (random: Random): Uint8Array => {
  const form = random.below(10)
  if (form === 0) return random.bytes(random.below(200))
  const some = Array.from({ length: 1 + random.below(4) }, () => {
    if (random.below(3) > 0) return wellFormed(random, random.below(6))
    return [pick(random, KINDS), ...Array.from({ length: random.below(7) }, () => anything(random))]
  })
  const bytes = encodeCanonical(form === 1 ? anything(random) : some)
  if (form !== 2) return bytes
  const at = random.below(bytes.length)
  return pick(random, [
    () => bytes.slice(0, at),
    () => bytes.map((byte, i) => (i === at ? byte ^ (1 << random.below(8)) : byte)),
    () => Uint8Array.from([...bytes, ...random.bytes(3)]),
  ])()
}

/** Some runs, of which some are answered, killed or time out while their processes say whatever they like. */
const round = async (random: Random): Promise<void> => {
  const { clock, pool, processes, run, settle } = world(2)
  const runs = Array.from({ length: 4 }, (_, i) =>
    run({ functionId: pick(random, ['f', 'g']), party: `${i % 2}`, timeoutMs: 1000 }),
  )
  await settle()
  for (let i = 0; i < FRAMES_A_ROUND; i++) {
    const alive = processes.filter(({ killed }) => !killed)
    if (alive.length > 0) pick(random, alive).raw(frame(random))
    if (random.below(4) === 0) pick(random, runs).answer(random.below(3), ok(null))
    if (random.below(12) === 0) pick(random, runs).kill('cancelled')
    await clock.advance(random.below(100))
    expect(pool.free).toBeGreaterThanOrEqual(0)
    expect(pool.free).toBeLessThanOrEqual(2)
    expect(pool.queued).toBeGreaterThanOrEqual(0)
    expect(processes.filter(({ killed }) => !killed).length).toBeLessThanOrEqual(2)
  }
  await clock.advance(20_000)
  for (const one of runs) expect(['outcome', 'inconclusive', 'diverged']).toContain((await one.result).kind)
  expect(pool.queued).toBe(0)
  await expectSound({ clock, processes, run, settle })
}

/** An honest process serves the next run as if nothing had been. */
const expectSound = async ({
  processes,
  run,
  settle,
}: Pick<ReturnType<typeof world>, 'clock' | 'processes' | 'run' | 'settle'>) => {
  const before = new Map(processes.map((process) => [process, process.started.length]))
  const next = run({ functionId: 'h', timeoutMs: 60_000 })
  await settle()
  const process = processes.find((one) => one.started.length > (before.get(one) ?? 0)) as ToldProcess
  process.report(done(process.started.at(-1) as number))
  expect(await next.result).toEqual(FINISHED)
}

describe('a process that says whatever it likes', () => {
  test('leaves the pool sound: every run ends, and the next is served', { timeout: 120_000 }, async () => {
    const random = randomFor('frames')
    for (let i = 0; i < ROUNDS; i++) await round(random)
  })

  test.each<[string, (id: number) => unknown]>([
    ['a result of another run', (id) => [['done', id + 1, OUTCOME, 1]]],
    [
      'a result twice',
      (id) => [
        ['done', id, OUTCOME, 1],
        ['done', id, OUTCOME, 1],
      ],
    ],
    ['no outcome', (id) => [['done', id, Uint8Array.of(1), 1]]],
    ['an outcome with more behind it', (id) => [['done', id, Uint8Array.from([...OUTCOME, 0]), 1]]],
    ['a negative time', (id) => [['done', id, OUTCOME, -1]]],
    ['a request of a kind that there is not', (id) => [['request', id, 0, 0, 'exec', Uint8Array.of(0xf6)]]],
    ['a request past all', (id) => [['request', id, 10_000, 0, 'call', Uint8Array.of(0xf6)]]],
    ['a reason that is long', (id) => [['failed', id, 'x'.repeat(5000)]]],
    ['a kind that objects have by birth', () => [['constructor'], ['__proto__', 1]]],
    ['a field more', (id) => [['waiting', id, 1]]],
    ['a field less', () => [['waiting']]],
    ['no list', () => ({ 0: ['waiting', 1] })],
  ])('is ended for %s', async (_, says) => {
    const { processes, run, settle } = world()
    const one = run()
    await settle()
    processes[0]?.raw(encodeCanonical(says(1)))
    await settle()
    expect(processes[0]?.killed).toBe(true)
    expect((await one.result).kind).toMatch(/^(outcome|inconclusive)$/)
  })
})
