/**
 * `npm run fuzz -- [MINUTES] [TARGET]…`: the fuzzing of `npm test`, for longer. It begins with the same inputs for the
 * same WAYSIDE_SEED. Targets are named as in the tests, such as `frame invoke`; `built-ins` is the audit of what the
 * engine's built-ins cost, `marshalling` what crosses to guests and back, `programs` performs random ones on Node 22, 24
 * and 26, in Chromium and in Firefox. Exit 1 if a crasher was found.
 */
import { spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { deriveSeed } from '../simulations/random.ts'
import { auditBuiltIns } from './fuel-audit/long.ts'
import { fuzzMarshalling, MARSHALLING } from './marshalling/fuzz.ts'
import { saveCrashers } from './protocol/crashers.ts'
import { type Crasher, fuzzTarget } from './protocol/fuzz-target.ts'
import { TARGETS } from './protocol/targets.ts'
import { fuzzMetered, METERED } from './wasm/fuzz.ts'
import { samples } from './wasm/samples.ts'

const INPUTS = 100_000
/** Objects of guests, and as many Values the other way: a million in the first round. */
const OBJECTS = 500_000
const SEED_LIMIT = 2 ** 32
const BUILT_INS = 'built-ins'

const engine = new WebAssembly.Module(new Uint8Array(readFileSync(new URL('../sandbox/quickjs.wasm', import.meta.url))))

/** Random programs of each kind, performed on every host. */
const PROGRAMS = 100

interface Fuzzed {
  inputs: number
  /** A line for each crasher. */
  found: string[]
}

const saved = ({ inputs, crashers }: { inputs: number; crashers: readonly Crasher[] }): Fuzzed => ({
  inputs,
  found: saveCrashers(crashers),
})

/** In a process of its own, with the hosts that it starts; it prints what differs. */
const fuzzPrograms = (seed: number): Fuzzed => {
  const args = [join(import.meta.dirname, '../sandbox/testing/fuzz.ts'), String(seed), String(PROGRAMS)]
  const { status } = spawnSync(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  return { inputs: 2 * PROGRAMS, found: status === 0 ? [] : [`programs: as said above, with seed ${seed}`] }
}

/** What is changed and tried, by name; each tries the same inputs for the same seed. */
const fuzzers: { name: string; fuzz(seed: number): Fuzzed | Promise<Fuzzed> }[] = [
  ...TARGETS.map((target) => ({
    name: target.name,
    fuzz: async (seed: number) => saved(await fuzzTarget(target, seed, INPUTS)),
  })),
  { name: MARSHALLING, fuzz: async (seed) => saved(await fuzzMarshalling(engine, seed, OBJECTS)) },
  { name: METERED, fuzz: async (seed) => saved(await fuzzMetered(await samples(), seed, INPUTS)) },
  { name: 'programs', fuzz: fuzzPrograms },
]

const [minutes = '10', ...names] = process.argv.slice(2)
const seed = Number(process.env.WAYSIDE_SEED ?? randomInt(SEED_LIMIT))
const targets = fuzzers.filter(({ name }) => names.length === 0 || names.includes(name))
const audits = Number(names.length === 0 || names.includes(BUILT_INS))
if (!(Number(minutes) > 0) || !Number.isInteger(seed) || targets.length + audits < names.length) {
  const known = [BUILT_INS, ...fuzzers.map(({ name }) => name)].map((name) => `"${name}"`).join(', ')
  console.error(`usage: npm run fuzz -- [MINUTES] [TARGET]…\nTARGET is one of ${known}; WAYSIDE_SEED is an integer`)
  process.exit(2)
}

console.log(`WAYSIDE_SEED=${seed}`)
const endMs = performance.now() + Number(minutes) * 60_000
let inputs = 0
let found = audits > 0 ? auditBuiltIns(targets.length > 0 ? performance.now() + Number(minutes) * 15_000 : endMs) : 0
for (let round = 0; targets.length > 0 && performance.now() < endMs; round++) {
  for (const target of targets) {
    const name = round === 0 ? target.name : `${target.name} ${round}`
    const result = await target.fuzz(deriveSeed(seed, name))
    inputs += result.inputs
    found += result.found.length
    for (const line of result.found) console.error(line)
    if (performance.now() >= endMs) break
  }
  console.log(`round ${round}: ${inputs} inputs, ${found} crashers`)
}
process.exitCode = found === 0 ? 0 : 1
