/**
 * Random programs and races on every host, as `npm run fuzz` starts it. Arguments: a seed, and how many of each. Prints what
 * differs, with the program; exit 1 if anything does.
 */
import fc from 'fast-check'
import { startBrowser } from '../../scripts/browser/launch.ts'
import { explainAll, performOn, replayOn } from './asking.ts'
import { differencesBetween } from './differences.ts'
import { browserHost, type Host, nodeHost, otherNode } from './hosts.ts'
import type { Program, ProgramRecord } from './program.ts'
import { randomProgram, randomRace } from './random-programs.ts'

const named = (programs: readonly Program[]): Program[] =>
  programs.map((program, i) => ({ ...program, name: `${program.name} ${i}` }))

const [seed, count] = process.argv.slice(2).map(Number) as [number, number]
const sample = (arbitrary: fc.Arbitrary<Program>) => named(fc.sample(arbitrary, { seed, numRuns: count }))
const races = sample(randomRace)
const programs = [...sample(randomProgram), ...races]

let found = 0
const report = async (wanted: ProgramRecord[], records: ProgramRecord[], reference: Host, host: Host) => {
  const differences = differencesBetween(wanted, records)
  if (differences.length === 0) return
  found += differences.length
  console.error(await explainAll(differences, programs, reference, host))
  for (const name of new Set(differences.map((one) => one.name)))
    console.error(programs.find((one) => one.name === name)?.code)
}

const browsers = await Promise.all([startBrowser('chromium'), startBrowser('firefox')])
const hosts = await Promise.all([
  nodeHost(),
  nodeHost(otherNode(22)),
  nodeHost(otherNode(26)),
  ...browsers.map((browser) => browserHost(browser)),
])
try {
  const all = await Promise.all(hosts.map((host) => performOn(host, programs)))
  const [reference, wanted] = [hosts[0] as Host, all[0] as ProgramRecord[]]
  for (const [i, host] of hosts.entries()) {
    await report(wanted, all[i] as ProgramRecord[], reference, host)
    // Each replays what the one before it recorded.
    const before = (i + hosts.length - 1) % hosts.length
    const recordedBy = new Map(all[before]?.map((record) => [record.name, record]))
    for (const race of races) {
      const replayed = await replayOn(host, race, recordedBy.get(race.name) as ProgramRecord)
      await report([replayed.wanted], [replayed.found], hosts[before] as Host, host)
    }
  }
} finally {
  await Promise.all(hosts.map((host) => host.close()))
  await Promise.all(browsers.map((browser) => browser.close()))
}
process.exitCode = found === 0 ? 0 : 1
