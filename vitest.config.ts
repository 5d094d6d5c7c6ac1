import { defineConfig } from 'vitest/config'

/** Which files belong to which suite; `scripts/test/main.ts` runs them one after another, each under its budget. */
const suite = (name: string, include: string[], exclude: string[], testTimeout: number) => ({
  extends: true as const,
  test: {
    name,
    include,
    exclude: ['**/node_modules/**', '**/dist/**', '**/demo-out/**', ...exclude],
    testTimeout,
    hookTimeout: testTimeout,
  },
})

export default defineConfig({
  test: {
    pool: 'forks',
    // Two cores are the machine this is measured on; real processes already bring their own parallelism.
    maxWorkers: 2,
    projects: [
      suite('unit', ['**/*.test.ts'], ['**/*.process.test.ts', '**/*.world.test.ts'], 30_000),
      suite('process', ['**/*.process.test.ts'], [], 120_000),
      suite('world', ['**/*.world.test.ts'], [], 120_000),
    ],
  },
})
