/** The worker of a page that answers questions about metered modules. */
import { answer } from './probe.ts'

interface WorkerScope {
  onmessage: (event: { data: string }) => void
  postMessage(answer: string): void
}

const scope = globalThis as unknown as WorkerScope

scope.onmessage = ({ data }) => scope.postMessage(JSON.stringify(answer(JSON.parse(data))))
