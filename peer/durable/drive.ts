/** Runs one durable invocation until it has ended: whatever another try can mend is tried again. */
import type { DurableRecord } from '../../protocol/durable.ts'
import { MeshError } from '../../protocol/errors.ts'
import type { Ports } from '../../protocol/ports.ts'
import { type CallResult, type CallWish, ensureLevel } from '../calls.ts'
import { pause } from '../pause.ts'
import { Damaged } from './damaged.ts'
import type { Delegations } from './delegations.ts'
import type { StoredRun } from './kept-run.ts'
import { mayGoOn, RETRY_MS } from './retry.ts'

export interface Drive {
  durable: StoredRun
  record: DurableRecord
  input: Uint8Array
  /** Given up here. */
  abort: AbortSignal
  delegations: Delegations
  /** What it has called ends. Throws what the state throws. */
  cancelCalls(): Promise<void>
  call(wish: CallWish): Promise<CallResult>
}

const wishOf = ({ durable, record, input }: Drive, nowMs: number, signal: AbortSignal): CallWish => ({
  function: record.function,
  export: record.export,
  input,
  level: ensureLevel(record.level),
  limits: record.limits,
  engine: record.engine,
  grants: record.grants,
  timeoutMs: Math.max(1, record.deadline_ms - nowMs),
  remote: record.remote,
  fresh: true,
  signal,
  durable,
  id: durable.id,
  depth: record.parent?.depth ?? 0,
})

export const drive = async (ports: Pick<Ports, 'clock' | 'log'>, driven: Drive): Promise<void> => {
  const { clock, log } = ports
  const { durable, record, abort } = driven
  let furthest = durable.journal.length
  for (let delayMs = RETRY_MS.least; ; delayMs = Math.min(2 * delayMs, RETRY_MS.most)) {
    const failure = await attempt(ports, driven)
    if (isFull(abort)) return end(ports, driven, abort.reason)
    if (!failure || abort.aborted) return
    // It got further than ever: what delays it now is something else.
    if (durable.journal.length > furthest) delayMs = RETRY_MS.least
    furthest = Math.max(furthest, durable.journal.length)
    const { cause, mayWait } = failure
    log.event('invocation.delayed', { invocation: durable.id, reason: cause.message })
    const leftMs = record.deadline_ms - clock.now()
    const hasTime = leftMs > 0
    if (cause instanceof Damaged && durable.id === record.delegated?.under.toString())
      return endAll(ports, driven, cause)
    if (!mayGoOn(cause, hasTime) && !(mayWait && hasTime)) return end(ports, driven, cause)
    await pause(clock, Math.min(delayMs, Math.max(leftMs, RETRY_MS.least)), abort)
  }
}

/** Its journal would hold more than is allowed: to go on with it again would come to the same. */
const isFull = ({ reason }: AbortSignal): boolean => reason instanceof MeshError && reason.code === 'E_STATE_QUOTA'

const end = ({ log }: Pick<Ports, 'log'>, { durable }: Drive, cause: MeshError): Promise<void> =>
  durable.fail('failed', cause).catch((failed: Error) => {
    log.event('storage.failed', { invocation: durable.id, reason: failed.message })
  })

/** Nobody can say any more whether it may run: with what it has called, which would tell its function only that it failed. */
const endAll = async ({ log }: Pick<Ports, 'log'>, driven: Drive, cause: MeshError): Promise<void> => {
  await end({ log }, driven, cause)
  await driven.cancelCalls().catch((failed: Error) => {
    log.event('storage.failed', { invocation: driven.durable.id, reason: failed.message })
  })
}

/** `mayWait`: its caller lets it run no more, and may again. */
const attempt = async (
  { clock }: Pick<Ports, 'clock'>,
  driven: Drive,
): Promise<{ cause: MeshError; mayWait: boolean } | undefined> => {
  const { durable, record, abort, delegations, call } = driven
  const under = record.delegated?.under.toString()
  const lapsed = new AbortController()
  let unwatch = () => {}
  let isHeld = under === undefined
  try {
    if (under) {
      // Whatever it calls that is kept is of the same function.
      durable.delegation = (await delegations.held(under)).signed
      isHeld = true
      unwatch = delegations.watch(under, lapsed)
    }
    await call(wishOf(driven, clock.now(), under ? AbortSignal.any([abort, lapsed.signal]) : abort))
    return undefined
  } catch (cause) {
    return { cause: asMeshError(cause), mayWait: !isHeld || lapsed.signal.aborted }
  } finally {
    unwatch()
  }
}

const asMeshError = (cause: unknown): MeshError =>
  cause instanceof MeshError ? cause : new MeshError('E_INTERNAL', String((cause as Error).message))
