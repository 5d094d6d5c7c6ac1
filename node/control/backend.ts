/** The backend that is the agent of this machine, reached over its control socket. */

import { MeshError } from '../../protocol/errors.ts'
import { Manifest } from '../../protocol/records.ts'
import { actsByNone } from '../../sdk/answer.ts'
import type {
  Backend,
  BackendCall,
  BackendDurable,
  BackendEnd,
  BackendMap,
  BackendMapItem,
  BackendOptions,
  BackendResult,
} from '../../sdk/backend.ts'
import { Batch } from './batch.ts'
import { type AgentClient, errorOf } from './client.ts'
import { Credit, Inbox } from './flow.ts'
import { ITEM_BYTES, type WireItem } from './frames.ts'
import { delegationFromWire, endFromWire, invocationFromWire } from './invocations.ts'
import { itemFromWire, resultFromWire, wireBytes } from './results.ts'

/** A call that had begun is not one that found no agent. */
const lostAgent = (cause: MeshError): MeshError =>
  new MeshError('E_UNREACHABLE', 'the agent ended while it worked on this; start it again, or call without it', {
    cause,
  })

const cancelled = () => new MeshError('E_CANCELLED', 'the caller cancelled')

const wireOptions = (options: BackendOptions) => ({
  verify: options.verify ?? null,
  timeout_ms: options.timeoutMs,
  limits: options.limits ?? null,
  remote: options.remote,
  public: options.public ?? false,
  grants: options.grants ?? null,
})

const call = (client: AgentClient, wanted: BackendCall): Promise<BackendResult> =>
  new Promise((resolve, reject) => {
    const { function: functionCid, export: exportName, input, receipt, traceTicks, signal, onWait } = wanted
    if (signal?.aborted) return reject(cancelled())
    const settle = (settling: () => void) => {
      signal?.removeEventListener('abort', abort)
      client.forget(id)
      settling()
    }
    const abort = () => {
      client.follow(id, { t: 'cancel' })
      settle(() => reject(cancelled()))
    }
    const request = {
      t: 'call' as const,
      function: functionCid,
      export: exportName,
      input,
      receipt,
      trace_ticks: traceTicks ?? null,
      ...wireOptions(wanted),
    }
    const id = client.open(request, {
      answer: (frame) => {
        if (frame.t === 'wait') onWait?.(frame.reason)
        else if (frame.t === 'result') settle(() => resolve(resultFromWire(frame.result)))
        else settle(() => reject(errorOf(frame)))
      },
      lost: (error) => settle(() => reject(lostAgent(error))),
    })
    signal?.addEventListener('abort', abort)
  })

/** Few enough that the largest inputs do not fill the memory, though they are taken before their bytes are known. */
const INPUTS_AT_ONCE = 16
const RESULTS_AT_ONCE = 256

/** Sends inputs as there is room for them, until they end, fail or `over` is aborted. */
const sendInputs = async (client: AgentClient, id: number, map: BackendMap, credit: Credit, over: AbortSignal) => {
  const batch = new Batch<Uint8Array>((inputs) => client.follow(id, { t: 'inputs', inputs }))
  for (;;) {
    const inputs = await map.inputs.take(INPUTS_AT_ONCE)
    if (over.aborted) return
    if (inputs.length === 0) break
    for (const input of inputs) {
      batch.add(input, input.length)
      credit.spend(input.length + ITEM_BYTES)
    }
    if (credit.hasRoom) continue
    batch.flush()
    await credit.room()
    if (over.aborted) return
  }
  batch.flush()
  client.follow(id, { t: 'end' })
}

async function* mapItems(client: AgentClient, map: BackendMap): AsyncGenerator<BackendMapItem[]> {
  const { function: functionCid, export: exportName, unordered, signal, onWait } = map
  const over = new AbortController()
  const credit = new Credit()
  const results = new Inbox<WireItem>((bytes) => client.follow(id, { t: 'more', bytes }))
  const request = { t: 'map' as const, function: functionCid, export: exportName, unordered, ...wireOptions(map) }
  const id = client.open(request, {
    answer: (frame) => {
      if (frame.t === 'wait') onWait?.(frame.reason)
      else if (frame.t === 'more') credit.add(frame.bytes)
      else if (frame.t === 'results') for (const item of frame.items) results.push(item, wireBytes(item))
      else results.end(frame.t === 'done' ? undefined : errorOf(frame))
    },
    lost: (error) => results.end(lostAgent(error)),
  })
  const abort = () => results.end(cancelled())
  signal?.addEventListener('abort', abort)
  if (signal?.aborted) abort()
  sendInputs(client, id, map, credit, over.signal).catch((cause) => results.end(cause))
  try {
    for (;;) {
      const items = await results.take(RESULTS_AT_ONCE)
      if (items.length === 0) break
      yield items.map(itemFromWire)
    }
  } finally {
    signal?.removeEventListener('abort', abort)
    over.abort()
    credit.add(Number.MAX_SAFE_INTEGER / 2)
    client.follow(id, { t: 'cancel' })
    client.forget(id)
    // Not awaited: inputs may be silent for ever.
    map.inputs.close().catch(() => {})
  }
}

const durableOf = (client: AgentClient): BackendDurable => {
  const endOf = async (invocation: string, wait: boolean): Promise<BackendEnd | undefined> => {
    const { end } = await client.ask({ t: 'ending', invocation, wait }, 'ended')
    return end ? endFromWire(end) : undefined
  }
  return {
    start: async (wanted) => {
      const { function: functionCid, export: exportName, input } = wanted
      const request = { t: 'start' as const, function: functionCid, export: exportName, input, ...wireOptions(wanted) }
      return (await client.ask(request, 'started')).invocation
    },
    list: async (all) => (await client.ask({ t: 'ps', all }, 'invocations')).invocations.map(invocationFromWire),
    end: (id) => endOf(id, false),
    wait: (id, signal) => unlessAborted(endOf(id, true), signal) as Promise<BackendEnd>,
    cancel: async (id) => (await client.ask({ t: 'kill', invocation: id }, 'killed')).was_running,
    revoke: () => Promise.reject(actsByNone()),
    renew: () => Promise.reject(actsByNone()),
    // An agent is the home itself, and asks nobody.
    delegations: async () => {
      const { delegations } = await client.ask({ t: 'delegations' }, 'delegations')
      return { standing: delegations.map(delegationFromWire), missing: [] }
    },
    recorded: async (id) => (await client.ask({ t: 'recording', invocation: id }, 'recorded')).recorded,
  }
}

/** Whoever waits no more is told so; the agent goes on with what it was asked. */
const unlessAborted = async <T>(asked: Promise<T>, signal: AbortSignal | undefined): Promise<T> => {
  asked.catch(() => {})
  const { promise, reject } = Promise.withResolvers<never>()
  const abort = () => reject(cancelled())
  if (signal?.aborted) abort()
  signal?.addEventListener('abort', abort)
  return Promise.race([asked, promise]).finally(() => signal?.removeEventListener('abort', abort))
}

/** `close` ends the connection; the agent goes on. */
export const createControlBackend = (client: AgentClient): Backend => ({
  publish: async ({ name, tier = 'javascript', code, modules = [], exports, effects, env = [], limits }) => {
    const bundle = { name, tier, code, modules: [...modules], exports, effects, env: [...env], limits }
    const answer = await client.ask({ t: 'publish', ...bundle }, 'published')
    return { cid: answer.function, manifest: Manifest.decode(answer.manifest) }
  },
  manifest: async (functionCid) =>
    Manifest.decode((await client.ask({ t: 'manifest', function: functionCid }, 'manifest')).manifest),
  call: (wanted) => call(client, wanted),
  map: (map) => mapItems(client, map),
  durable: durableOf(client),
  close: async () => client.close(),
})
