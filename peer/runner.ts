/** Introduces the registry to the sandbox: finds a function's code, and runs it here. */
import type { CID } from '../protocol/cid.ts'
import { cidDigest } from '../protocol/cid.ts'
import { isRead } from '../protocol/effects.ts'
import type { EffectRequest, JournalEntry } from '../protocol/journal.ts'
import { MIB } from '../protocol/limits.ts'
import type { Manifest, TaskTemplate } from '../protocol/records.ts'
import type { BlockExchange } from '../registry/block-exchange.ts'
import { loadFunction } from '../registry/functions.ts'
import type { SandboxJob, SandboxPool, SandboxRun, Stop } from '../sandbox/pool.ts'
import type { Images } from './images.ts'
import { type RunBlocks, runWhole, type Saying } from './large-answers.ts'

export interface LoadedFunction {
  id: string
  manifest: Manifest
  code: Uint8Array
}

export interface RunRequest {
  /** On whose behalf: parties take turns. */
  party: string
  /** Runs of it in a turn; 1 unless given. */
  weight?: number
  loaded: LoadedFunction
  template: TaskTemplate
  task: CID
  input: Uint8Array
  journal: readonly JournalEntry[]
  /** PeerIds that have the blocks of its answers, if they are not here. */
  sources?: readonly string[]
  timeoutMs: number
  /** Its memory is to be hashed every so many ticks. */
  traceTicks?: number | undefined
  /** Called once, when it first computes. */
  onStart?: (() => void) | undefined
  onRequest?(request: EffectRequest): void
  /** Called each time that it waits for an answer, and all of `journal` lies behind it. */
  onWait?(): void
  /** A checkpoint that a run with this journal may go on from, whenever it begins. */
  from?: SandboxJob['from']
  /** Called at each rest that is due for a checkpoint, after so many answers. */
  onRest?: SandboxJob['onRest']
  /** It is to end, inconclusive, before it makes this request. */
  until?: number | undefined
  /** Called if it does. */
  onStop?(stop: Stop): void
}

export interface Runner {
  /** What has been loaded and is kept in memory. */
  known(functionCid: CID): LoadedFunction | undefined
  /** Manifest and code; fetched from `sources` where blocks are missing. Throws MeshError E_BLOCK_MISSING or E_MESSAGE. */
  load(functionCid: CID, sources: readonly string[], signal?: AbortSignal): Promise<LoadedFunction>
  run(request: RunRequest): SandboxRun
}

/** Manifests and code kept in memory; the block store has the rest. */
const KEPT_BYTES_MAX = 64 * MIB

/** The functions used last. Only whole ones are kept: each load has sources and a signal of its own. */
const createFunctionCache = () => {
  const functions = new Map<string, LoadedFunction>()
  let bytes = 0
  const forget = (found: LoadedFunction) => {
    functions.delete(found.id)
    bytes -= found.code.length
  }
  return {
    get: (id: string): LoadedFunction | undefined => {
      const found = functions.get(id)
      if (!found) return undefined
      functions.delete(id)
      functions.set(id, found)
      return found
    },
    add: (loaded: LoadedFunction): void => {
      const before = functions.get(loaded.id)
      if (before) forget(before)
      functions.set(loaded.id, loaded)
      bytes += loaded.code.length
      for (const oldest of functions.values()) {
        if (bytes <= KEPT_BYTES_MAX || oldest === loaded) return
        forget(oldest)
      }
    },
  }
}

const sayingOf = ({ onRequest, onWait, onRest, onStop }: Saying): Saying => ({
  ...(onRequest && { onRequest }),
  ...(onWait && { onWait }),
  onRest,
  ...(onStop && { onStop }),
})

/** Without `puts` it keeps nothing of what functions put: so is who only runs again what others have done. */
export const createRunner = (
  exchange: Pick<BlockExchange, 'fetch'>,
  pool: SandboxPool,
  images?: Pick<Images, 'find' | 'warm'>,
  puts?: RunBlocks['puts'],
): Runner => {
  const kept = createFunctionCache()

  const known = (functionCid: CID) => kept.get(functionCid.toString())

  return {
    known,
    load: async (functionCid, sources, signal) => {
      const id = functionCid.toString()
      const found = known(functionCid)
      if (found) return found
      const fetched = await loadFunction((cid) => exchange.fetch(cid, sources, signal), functionCid)
      await images?.warm(id)
      const loaded = { id, ...fetched }
      kept.add(loaded)
      return loaded
    },
    run: ({
      party,
      weight,
      loaded,
      template,
      task,
      input,
      journal,
      sources = [],
      timeoutMs,
      traceTicks,
      until,
      from,
      onStart,
      ...heard
    }) => {
      const { effects } = loaded.manifest
      const begin = (given: readonly JournalEntry[], said: Saying) =>
        pool.run({
          party,
          ...(weight ? { weight } : {}),
          functionId: loaded.id,
          code: () => loaded.code,
          form: loaded.manifest,
          engine: template.environment.engine,
          image: () => images?.find(loaded.id, template.environment.limits.memory_bytes, template.environment.engine),
          exportName: template.export,
          effects,
          input,
          seed: cidDigest(task),
          limits: template.environment.limits,
          journal: given,
          timeoutMs,
          traceTicks,
          until,
          from,
          ...(onStart ? { onStart } : {}),
          ...said,
        })
      const saying = sayingOf(heard)
      if (!effects.some((kind) => isRead(kind) || kind === 'put')) return begin(journal, saying)
      return runWhole(journal, { fetch: (cid) => exchange.fetch(cid, sources), puts }, saying, begin)
    },
  }
}
