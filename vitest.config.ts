import { defineConfig } from 'vitest/config'

export const NEVER = ['**/node_modules/**', '**/dist/**', '**/demo-out/**']

/** The files of a suite; `scripts/test/main.ts` runs the suites one after another, each under its budget. */
const suite = (name: string, timeoutMs: number, maxWorkers: number, include: string[], exclude: string[] = []) => ({
  extends: true as const,
  test: { name, include, exclude: [...NEVER, ...exclude], testTimeout: timeoutMs, hookTimeout: timeoutMs, maxWorkers },
})

const PROCESS = ['**/*.process.test.ts']
const WORLD = ['**/*.world.test.ts']
const CHROMIUM = ['**/*.chromium.test.ts']
const FIREFOX = ['**/*.firefox.test.ts']
const ETCD_AND_KILLS = ['**/*.etcd.test.ts', '**/*.kills.test.ts']
const TORTURE = ['**/*.torture.test.ts']

// For a machine of two cores. Tests of real processes wait more than half of the time, and assert outcomes.
export const projects = [
  suite(
    'unit',
    120_000,
    2,
    ['**/*.test.ts'],
    [...PROCESS, ...WORLD, ...CHROMIUM, ...FIREFOX, ...ETCD_AND_KILLS, ...TORTURE],
  ),
  suite('process', 120_000, 3, PROCESS),
  suite('world', 120_000, 2, WORLD),
  // A browser waits for its pages, and is several processes.
  suite('chromium', 120_000, 2, CHROMIUM),
  suite('firefox', 120_000, 1, FIREFOX),
  // Each has a cluster of its own, etcd's or one of agents that are killed: processes that write to the disk, and wait for one another.
  suite('etcd', 120_000, 2, ETCD_AND_KILLS),
  // What is too long for `npm test`: `npm run torture`.
  suite('torture', 600_000, 1, TORTURE),
]

/** Small files that take long. Vitest begins with large files: begun last, these would keep one core waiting for the other. */
const BEGUN_FIRST = ['protocol/fuzz.test.ts', 'protocol/fuzz-frames.test.ts', 'sandbox/hostile-programs.test.ts']

export default defineConfig(async () => {
  // Whoever reads the projects alone need not load all of Vitest.
  const { BaseSequencer } = await import('vitest/node')
  class LongFirst extends BaseSequencer {
    override async sort(files: Parameters<InstanceType<typeof BaseSequencer>['sort']>[0]) {
      const isLong = ({ moduleId }: (typeof files)[number]) => BEGUN_FIRST.some((path) => moduleId.endsWith(`/${path}`))
      const sorted = await super.sort(files)
      return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))]
    }
  }
  return {
    test: {
      pool: 'forks',
      // Tests meet nobody of the network that they run on.
      env: { WAYSIDE_MDNS: 'false' },
      // However busy the machine is: what is waited for is an event, and mostly there at once.
      expect: { poll: { timeout: 20_000 } },
      sequence: { sequencer: LongFirst },
      projects,
    },
  }
})
