/** What a disk needs to make something durable: printed beside the figures of whatever waits for it. */
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { median } from './measure.ts'

const SYNCS = 25

/** Measures on the disk of `file`, which it makes: the median of 25 `fdatasync`, each of four more KiB, ms. */
export const openSyncs = (file: string): { median(): number; close(): void } => {
  const handle = openSync(file, 'a')
  const page = new Uint8Array(4096)
  const sync = () => {
    writeSync(handle, page)
    const startMs = performance.now()
    fdatasyncSync(handle)
    return performance.now() - startMs
  }
  const close = () => {
    closeSync(handle)
    rmSync(file)
  }
  return { median: () => median(Array.from({ length: SYNCS }, sync)), close }
}
