/** The worker that wakes a hidden page for its timers. */

/** Wake the page in so many ms, and not when it said before. */
export type TimerOrder = number

export interface TimerScope {
  onmessage: ((event: { data: TimerOrder }) => void) | null
  postMessage(message: 'due'): void
}

export const serveTimers = (scope: TimerScope): void => {
  let handle: ReturnType<typeof setTimeout> | undefined
  scope.onmessage = ({ data: delayMs }) => {
    clearTimeout(handle)
    handle = setTimeout(() => scope.postMessage('due'), delayMs)
  }
}
