/** Piscina on this machine's two cores, as its documentation shows it. */
import { fileURLToPath } from 'node:url'
import { Piscina } from 'piscina'
import { bundle } from '../sdk/bundle/index.ts'

export const createRivalPool = (): Piscina =>
  new Piscina({
    filename: fileURLToPath(new URL('./piscina-worker.ts', import.meta.url)),
    minThreads: 2,
    maxThreads: 2,
  })

/** The module that an agent would run. */
export const codeOf = async (source: URL): Promise<string> => new TextDecoder().decode((await bundle(source)).code)

/** Runs `job` over all chunks, `inFlight` at a time. */
export const drain = async <T>(
  chunks: readonly T[],
  inFlight: number,
  job: (chunk: T) => Promise<unknown>,
): Promise<void> => {
  let next = 0
  const lane = async () => {
    for (let i = next++; i < chunks.length; i = next++) await job(chunks[i] as T)
  }
  await Promise.all(Array.from({ length: inFlight }, lane))
}

export const chunksOf = <T>(items: readonly T[], size: number): T[][] => {
  const chunks: T[][] = []
  for (let i = 0; i < items.length; i += size) chunks.push(items.slice(i, i + size))
  return chunks
}
