/** What a verified outcome asks for is done, before its caller has it. */
import { MeshError } from '../../protocol/errors.ts'
import type { Manifest } from '../../protocol/records.ts'
import type { CallRequest, CallResult } from '../calls.ts'
import { deferredIn } from '../grants.ts'

/** All of it or nothing. Throws MeshError E_GRANT for what is not granted, or what `step` throws. */
export const commitDeferred = async (
  { grants, step }: Pick<CallRequest, 'grants' | 'step'>,
  manifest: Manifest,
  { outcome: { result, requests } }: Pick<CallResult, 'outcome'>,
): Promise<void> => {
  if (!result.ok) return
  const deferred = deferredIn(manifest, grants, requests)
  const [first] = deferred
  if (!first) return
  if (!step) throw new MeshError('E_GRANT', `env.${first.args.binding}: this home keeps no state and sends nothing`)
  await step.commit(deferred)
}
