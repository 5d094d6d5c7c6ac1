/** A worker that answers with what it was asked, and with where it runs; for the tests of this folder. */
interface WorkerScope {
  onmessage: (event: { data: string }) => void
  postMessage(answer: string): void
  location: { origin: string }
}

const scope = globalThis as unknown as WorkerScope

scope.onmessage = ({ data }) => {
  if (data === 'fail') throw new Error('asked to fail')
  scope.postMessage(JSON.stringify([data, scope.location.origin]))
}
