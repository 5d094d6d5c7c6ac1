/** Introduces the registry to the sandbox: finds a function's code, and runs it here. */
import type { CID } from '../protocol/cid.ts'
import { cidDigest } from '../protocol/cid.ts'
import type { EffectRequest, JournalEntry } from '../protocol/journal.ts'
import type { Manifest, TaskTemplate } from '../protocol/records.ts'
import type { BlockExchange } from '../registry/block-exchange.ts'
import { loadFunction } from '../registry/functions.ts'
import type { SandboxPool, SandboxRun } from '../sandbox/pool.ts'

export interface LoadedFunction {
  id: string
  manifest: Manifest
  code: Uint8Array
}

export interface RunRequest {
  loaded: LoadedFunction
  template: TaskTemplate
  task: CID
  input: Uint8Array
  journal: readonly JournalEntry[]
  timeoutMs: number
  onRequest?(request: EffectRequest): void
}

export interface Runner {
  /** Manifest and code; fetched from `sources` where blocks are missing. Throws MeshError E_BLOCK_MISSING or E_MESSAGE. */
  load(functionCid: CID, sources: readonly string[], signal?: AbortSignal): Promise<LoadedFunction>
  run(request: RunRequest): SandboxRun
}

/** Code kept in memory; the block store has the rest. */
const FUNCTIONS_MAX = 64

export const createRunner = (exchange: BlockExchange, pool: SandboxPool): Runner => {
  const functions = new Map<string, Promise<LoadedFunction>>()

  const remember = (id: string, loading: Promise<LoadedFunction>) => {
    functions.set(id, loading)
    loading.catch(() => functions.delete(id))
    if (functions.size > FUNCTIONS_MAX) functions.delete(functions.keys().next().value as string)
    return loading
  }

  return {
    load: (functionCid, sources, signal) => {
      const id = functionCid.toString()
      const known = functions.get(id)
      if (known) return known
      const fetch = (cid: CID) => exchange.fetch(cid, sources, signal)
      return remember(
        id,
        loadFunction(fetch, functionCid).then((found) => ({ id, ...found })),
      )
    },
    run: ({ loaded, template, task, input, journal, timeoutMs, onRequest }) =>
      pool.run({
        functionId: loaded.id,
        code: () => loaded.code,
        exportName: template.export,
        effects: loaded.manifest.effects,
        input,
        seed: cidDigest(task),
        limits: template.environment.limits,
        journal,
        timeoutMs,
        ...(onRequest ? { onRequest } : {}),
      }),
  }
}
