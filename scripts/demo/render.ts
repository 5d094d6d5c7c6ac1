/** Renders the picture on the mesh, coarse tiles first: half of them checked by a second executor, half by us. */
import { TILES } from '../../examples/raytracer/plan.ts'
import type { Tile } from '../../examples/raytracer/tile.ts'
import { inputsOf } from '../../peer/inputs.ts'
import { MeshError } from '../../protocol/errors.ts'
import { decodeValue, encodeValue } from '../../protocol/values.ts'
import type { Backend, BackendResult } from '../../sdk/backend.ts'

export interface RenderedTile {
  tile: Tile
  pixels: Uint8Array
  result: BackendResult
  /** Runs by agents that its level asks for. */
  runs: number
}

/** The coarsest pass is checked by ourselves: no verifier has to be waited for, and the picture is whole soonest. */
const isFirstPass = ({ done }: Tile): boolean => done === 0
const LEVELS = [
  { verify: 'self', runs: 1 },
  { verify: 'quorum:2', runs: 2 },
] as const
/** A busy machine may be slow to come round to the last of them. */
const TILE_TIMEOUT_MS = 110_000

const pixelsOf = (result: BackendResult): Uint8Array => {
  const { result: outcome } = result.outcome
  if (!outcome.ok) throw new MeshError(outcome.code, outcome.message)
  return (decodeValue(outcome.value) as { pixels: Uint8Array }).pixels
}

const renderAt = async (
  backend: Backend,
  functionCid: string,
  { verify, runs }: (typeof LEVELS)[number],
  tiles: readonly Tile[],
  signal: AbortSignal,
  done: (rendered: RenderedTile) => void,
): Promise<void> => {
  const options = { verify, timeoutMs: TILE_TIMEOUT_MS, remote: true, signal, unordered: true }
  const encoded = tiles.map((tile) => encodeValue({ ...tile }))
  const map = { ...options, function: functionCid, export: 'default', inputs: inputsOf(encoded) }
  for await (const items of backend.map(map)) {
    for (const item of items) {
      if ('error' in item) throw new MeshError(item.error.code, item.error.message)
      done({ tile: tiles[item.index] as Tile, pixels: pixelsOf(item.result), result: item.result, runs })
    }
  }
}

/** Calls `done` for each tile as it comes. Throws MeshError if one cannot be had, or `signal` fires. */
export const renderOnMesh = async (
  backend: Backend,
  functionCid: string,
  signal: AbortSignal,
  done: (rendered: RenderedTile) => void,
): Promise<void> => {
  const failed = new AbortController()
  const either = AbortSignal.any([signal, failed.signal])
  await renderAt(backend, functionCid, LEVELS[0], TILES.filter(isFirstPass), either, done)
  const finer = TILES.filter((tile) => !isFirstPass(tile))
  const maps = LEVELS.map((level, i) => {
    const tiles = finer.filter((_, at) => at % LEVELS.length === i)
    return renderAt(backend, functionCid, level, tiles, either, done)
  })
  try {
    await Promise.all(maps)
  } finally {
    failed.abort()
    await Promise.allSettled(maps)
  }
}
