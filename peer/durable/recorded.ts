/** What a home has kept of a durable invocation, with all that runs it again. */
import { rawCid } from '../../protocol/cid.ts'
import { type DurableRecord, RecordedInvocation } from '../../protocol/durable.ts'
import type { Crypto } from '../../protocol/ports.ts'
import { type Manifest, type TaskTemplate, taskIdOf } from '../../protocol/records.ts'
import { answerBlocksOf, blocksOf, type FindBlock } from '../receipt-file.ts'

export interface KeptInvocation {
  record: DurableRecord
  manifest: Manifest
  input: Uint8Array
  journal: RecordedInvocation['journal']
  /** Encoded Outcome, if it has ended with one. */
  outcome: Uint8Array | undefined
}

/** Encoded RecordedInvocation. */
export const recordedOf = async (
  crypto: Crypto,
  block: FindBlock,
  { record, manifest, input, journal, outcome }: KeptInvocation,
): Promise<Uint8Array> => {
  const { engine, limits, state, created_ms, error } = record
  const environment: TaskTemplate['environment'] = { engine, protocol: 1, limits }
  const template: TaskTemplate = { function: record.function, export: record.export, environment }
  const work = { template, input: rawCid(crypto, input), manifest, request: { input } }
  return RecordedInvocation.encode({
    ...{ v: 1, task: taskIdOf(crypto, { v: 1, ...template, input: work.input }), state, created_ms, journal },
    blocks: [
      ...(await blocksOf(work, block)),
      ...(await answerBlocksOf(
        journal.map(({ entry }) => entry),
        block,
      )),
    ],
    ...(outcome && { outcome }),
    ...(error && { error }),
  })
}
