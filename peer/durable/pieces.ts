/** What is larger than a value of the state, in pieces under keys of their own: an input, an outcome, part of a journal. */
import { joinBytes } from '../../protocol/join-bytes.ts'
import { KIB, LIST_ENTRIES_MAX } from '../../protocol/limits.ts'
import type { StateEngine, Write } from '../state/engine.ts'

/** Two of them, and what stands around them, fit a transaction of etcd. */
const PIECE_BYTES = 512 * KIB

const digits = (n: number) => `${n}`.padStart(6, '0')

/** The bytes under `name`, which are read again by the same name. `place`: placeOf an invocation. */
export const piecesOf = (place: string, name: string, bytes: Uint8Array): Write[] => {
  const writes: Write[] = []
  for (let at = 0; at === 0 || at < bytes.length; at += PIECE_BYTES) {
    const put = bytes.subarray(at, at + PIECE_BYTES)
    writes.push({ namespace: place, key: `${name}/${digits(writes.length)}`, put })
  }
  return writes
}

/** Keys that begin with `prefix`, and their values, in order. */
export async function* scanPieces(
  engine: StateEngine,
  place: string,
  prefix: string,
  revision: number,
): AsyncGenerator<{ key: string; value: Uint8Array }> {
  let after: string | undefined
  for (;;) {
    const page = await engine.list({ namespace: place, prefix, after, limit: Math.min(16, LIST_ENTRIES_MAX) }, revision)
    for (const { key, value } of page.entries) yield { key, value: value as Uint8Array }
    after = page.entries.at(-1)?.key
    if (!page.more || after === undefined) return
  }
}

/** The bytes under `name`; undefined if there are none. */
export const readPieces = async (
  engine: StateEngine,
  place: string,
  name: string,
  revision: number,
): Promise<Uint8Array | undefined> => {
  const pieces: Uint8Array[] = []
  for await (const { value } of scanPieces(engine, place, `${name}/`, revision)) pieces.push(value)
  if (pieces.length === 0) return undefined
  return joinBytes(pieces)
}
