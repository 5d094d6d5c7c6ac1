/** A page with a dedicated worker that runs a bundle of our sources and answers questions. */
import { bundled } from './entry-page.ts'
import type { RunningBrowser } from './launch.ts'
import { HTML, type PageFile, servePage } from './page-server.ts'

export interface WorkerPage {
  /** Sends `question` to the worker and gives what it posts back. One at a time. Throws what goes wrong in the worker. */
  ask(question: string): Promise<string>
  close(): Promise<void>
}

/** Ends the question with the worker's answer or its failure, which a page is told of without a stack. */
const ASK = (question: string) => `new Promise((resolve, reject) => {
  const { worker } = globalThis
  worker.onmessage = ({ data }) => resolve(data)
  worker.onerror = ({ message, filename, lineno }) => reject(new Error(message + ' at ' + filename + ':' + lineno))
  worker.postMessage(${JSON.stringify(question)})
})`

const PAGE = `<!doctype html><title>Wayside</title><link rel="icon" href="data:,">
<script>globalThis.worker = new Worker('/worker.js', { type: 'module' })</script>`

/** A page of `browser` whose worker is `entry`. It listens for messages, which are texts, and posts one to each. */
export const openWorkerPage = async (
  browser: RunningBrowser,
  entry: URL,
  files: Record<string, PageFile> = {},
): Promise<WorkerPage> => {
  const server = await servePage({
    '/': { type: HTML, body: PAGE },
    '/worker.js': await bundled(entry),
    ...files,
  })
  try {
    const page = await browser.open(`${server.url}/`)
    const close = async () => {
      await page.close()
      server.close()
    }
    return { ask: (question) => page.evaluate(ASK(question)) as Promise<string>, close }
  } catch (error) {
    server.close()
    throw error
  }
}
