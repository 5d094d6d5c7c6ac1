/** The worker that keeps a hidden page's timers. */

/** Set timer `id`, in so many ms; or forget it. It is answered with its `id` when it is due. */
export type TimerOrder = [id: number, delayMs: number] | [id: number]

export interface TimerScope {
  onmessage: ((event: { data: TimerOrder }) => void) | null
  postMessage(id: number): void
}

export const serveTimers = (scope: TimerScope): void => {
  const handles = new Map<number, ReturnType<typeof setTimeout>>()
  const due = (id: number) => {
    handles.delete(id)
    scope.postMessage(id)
  }
  scope.onmessage = ({ data: [id, delayMs] }) => {
    clearTimeout(handles.get(id))
    if (delayMs === undefined) handles.delete(id)
    else handles.set(id, setTimeout(due, delayMs, id))
  }
}
