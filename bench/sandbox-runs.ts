/** Runs of a function in a sandbox of this process, each from the pristine image, as an agent's sandbox makes them. */
import { readFileSync } from 'node:fs'
import { FUEL_DEFAULT, MEMORY_BYTES_DEFAULT, OUTPUT_BYTES_MAX } from '../protocol/limits.ts'
import { decodeValue, encodeValue, type Value } from '../protocol/values.ts'
import { type CodeForm, PLAIN_MODULE, type Run, type RunEvents } from '../sandbox/job.ts'
import { createSandbox, type RunHandle } from '../sandbox/sandbox.ts'
import { ENGINE_FILE } from '../scripts/engine/source.ts'

const limits = { fuel: FUEL_DEFAULT, memory_bytes: MEMORY_BYTES_DEFAULT, output_bytes: OUTPUT_BYTES_MAX }
const seed = new Uint8Array(32).fill(1)
const sandbox = createSandbox({ wasm: new WebAssembly.Module(readFileSync(ENGINE_FILE)) })

export const runOf = (input: Value, owner = ''): Run => ({
  ...{ owner, exportName: 'default', effects: ['call'], input: encodeValue(input), seed, limits, journal: [] },
})

/** Begins runs of `module`, an ES module as text whose manifest declares these effects and bindings. */
export const beginner = (
  module: string,
  declared: Pick<CodeForm, 'effects' | 'env'> = {},
): ((run: Run, events?: RunEvents) => RunHandle) => {
  sandbox.load(module, new TextEncoder().encode(module), limits.memory_bytes, { ...PLAIN_MODULE, ...declared })
  return (run, events) => sandbox.run(module, run, events)
}

/** What a run returned. Throws for one that has not ended well. */
export const answerOf = ({ result }: RunHandle): Value => {
  if (result?.kind !== 'outcome' || !result.decoded.result.ok) throw new Error(`no answer: ${JSON.stringify(result)}`)
  return decodeValue(result.decoded.result.value)
}
