/** What convicted a peer, kept in the data directory for its owner to check and to show. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Log } from '../protocol/log.ts'

/** One of each peer, 1 MiB at most; who convicts more has seen enough. */
const FILES_MAX = 64

/** Writes `proofs/PEERID.cbor`, unless there is one; a disk that is full costs the proof and nothing else. */
export const proofKeeper =
  (data: string, log: Log) =>
  (peer: string, file: Uint8Array): void => {
    const folder = join(data, 'proofs')
    const path = join(folder, `${peer}.cbor`)
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      const kept = readdirSync(folder)
      if (kept.length < FILES_MAX && !kept.includes(`${peer}.cbor`)) writeFileSync(path, file, { mode: 0o600 })
    } catch (cause) {
      log.event('storage.failed', { peer, reason: (cause as Error).message })
    }
  }
