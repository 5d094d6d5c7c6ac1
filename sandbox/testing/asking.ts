/** What is asked of hosts, and what they say about a difference. */
import { stateDifference } from '../memory-state.ts'
import type { Difference } from './differences.ts'
import type { Host } from './hosts.ts'
import type { Program, ProgramRecord, Recorded } from './program.ts'

/** A question that a host answers within some seconds. */
const PROGRAMS_A_QUESTION = 20
/** Explained one by one; explaining takes runs of its own. */
const EXPLAINED_MAX = 5

/** Has `host` perform `programs`, in this order. */
export const performOn = async (host: Host, programs: readonly Program[]): Promise<ProgramRecord[]> => {
  const records: ProgramRecord[] = []
  for (let at = 0; at < programs.length; at += PROGRAMS_A_QUESTION) {
    const reply = await host.ask({ perform: programs.slice(at, at + PROGRAMS_A_QUESTION) })
    if ('records' in reply) records.push(...reply.records)
  }
  return records
}

const stateOn = async (host: Host, program: Program, { way, order }: Difference): Promise<Uint8Array> => {
  const reply = await host.ask({ stateOf: program, way, order })
  return new Uint8Array(Buffer.from('state' in reply ? reply.state : '', 'base64'))
}

/** In words: which program, on which host, what differs, and the first address where the memories do. */
const explain = async (
  difference: Difference,
  programs: readonly Program[],
  reference: Host,
  host: Host,
): Promise<string> => {
  const { name, way, order, what, wanted, found } = difference
  const program = programs.find((one) => one.name === name)
  const lines = [`${name}, ${way}, answers ${order.join() || 'none'}: ${what.join(', ')} on ${host.name}`]
  lines.push(`  ${reference.name}: ${wanted}`, `  ${host.name}: ${found}`)
  if (program && what.includes('memory')) {
    const states = [await stateOn(reference, program, difference), await stateOn(host, program, difference)] as const
    lines.push(`  memory: ${stateDifference(...states)}`)
  }
  return lines.join('\n')
}

/** The first few of `differences` in words, and how many there are. */
export const explainAll = async (
  differences: readonly Difference[],
  programs: readonly Program[],
  reference: Host,
  host: Host,
): Promise<string> => {
  const explained = [`${differences.length} differences`]
  for (const one of differences.slice(0, EXPLAINED_MAX)) explained.push(await explain(one, programs, reference, host))
  return explained.join('\n')
}

/** What `record` holds of runs with journals, and the same runs as `host` replays them from these journals. */
export const replayOn = async (
  host: Host,
  program: Program,
  { name, runs }: ProgramRecord,
): Promise<{ wanted: ProgramRecord; found: ProgramRecord }> => {
  const recorded = runs.filter((run): run is typeof run & Recorded => run.journal !== undefined)
  const reply = await host.ask({
    replay: program,
    recorded: recorded.map(({ order, journal }) => ({ order, journal })),
  })
  const [found = { name, runs: [] }] = 'records' in reply ? reply.records : []
  return { wanted: { name, runs: recorded }, found }
}
