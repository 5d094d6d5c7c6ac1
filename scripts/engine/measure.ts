/**
 * `node scripts/engine/measure.ts`: measures the native frame of each function of the engine, before it is padded, on
 * this Node, in Chromium and in Firefox, as they compile it first and after work, and writes down the largest. To be
 * run after a change of another pass; then `build.ts`.
 */
import { writeFileSync } from 'node:fs'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { type RunningBrowser, startBrowser } from '../browser/launch.ts'
import { WASM } from '../browser/page-server.ts'
import { openWorkerPage } from '../browser/worker-page.ts'
import { buildEngine, UNPADDED } from './build.ts'
import { NATIVE_FRAMES_FILE, SMALLEST_STACK_BYTES } from './native-frames.ts'
import { addProbes } from './probe.ts'
import { type ProbeAnswer, type ProbeQuestion, probeFrames } from './probe-worker.ts'

/** Of the workload: as a host compiles a function first, and once it has compiled anew what was used much. */
const ROUNDS = [0, 40, 150]

/** By function: bytes of a stack of SMALLEST_STACK_BYTES. */
export type Frames = ReadonlyMap<string, number>

type Ask = (engine: Uint8Array, question: ProbeQuestion) => Promise<ProbeAnswer>

const askNode: Ask = (bytes, question) =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: { bytes, question } })
    worker.once('message', resolve).once('error', reject)
  })

const askBrowser =
  (browser: RunningBrowser): Ask =>
  async (body, question) => {
    const files = { '/probed.wasm': { type: WASM, body } }
    const page = await openWorkerPage(browser, new URL('./page-probe-worker.ts', import.meta.url), files)
    const answer = JSON.parse(await page.ask(JSON.stringify(question)))
    await page.close()
    return answer
  }

export type ProbeHost = 'node' | RunningBrowser

/**
 * Measures on one host, each time in a worker of its own, one after another: workers of one process may share what was
 * compiled. Node's threads are given as much stack as a program asks for.
 */
export const measureOn = async (host: ProbeHost, rounds: readonly number[]): Promise<Frames> => {
  const names: string[] = []
  const engine = buildEngine([...UNPADDED, (module) => names.push(...addProbes(module))])
  const ask = host === 'node' ? askNode : askBrowser(host)
  const largest = new Map<string, number>()
  const hostName = host === 'node' ? host : host.name
  for (const each of rounds) {
    const { stackBytes, frames } = await ask(engine, { count: names.length, rounds: each })
    if (stackBytes < 0.99 * SMALLEST_STACK_BYTES) throw new Error(`${hostName} has only ${stackBytes} bytes of stack`)
    const scale = host === 'node' ? 1 : Math.min(1, SMALLEST_STACK_BYTES / stackBytes)
    for (const [n, name] of names.entries())
      largest.set(name, Math.max(largest.get(name) ?? 0, Math.ceil((frames[n] as number) * scale)))
  }
  return largest
}

if (!isMainThread && workerData?.question)
  parentPort?.postMessage(probeFrames(new WebAssembly.Module(workerData.bytes), workerData.question))
else if (import.meta.main) {
  const hosts = [await measureOn('node', ROUNDS)]
  for (const name of ['chromium', 'firefox'] as const) {
    const browser = await startBrowser(name)
    hosts.push(await measureOn(browser, ROUNDS))
    await browser.close()
  }
  const names = [...(hosts[0] as Frames).keys()]
  const largest = names.map((name) => [name, Math.max(...hosts.map((frames) => frames.get(name) as number))])
  writeFileSync(NATIVE_FRAMES_FILE, `${JSON.stringify(Object.fromEntries(largest), null, 2)}\n`)
}
