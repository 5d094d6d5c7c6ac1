/**
 * By which a worker learns in the middle of a run that it has been ended. Chromium lets one compute on for 2 s that was
 * terminated (measured; docs/decisions/0039), and nothing posted reaches it. But the address of a Blob can be looked at
 * from within a run, and it holds until the page revokes it, or is gone itself.
 */

/** In the page: the address, and what ends it. */
export const createLifeLine = (): { url: string; cut(): void } => {
  const url = URL.createObjectURL(new Blob(['alive']))
  return { url, cut: () => URL.revokeObjectURL(url) }
}

/** In the worker: has it been cut? Undefined where the policy of the page forbids to look. `Request`: XMLHttpRequest. */
export const watchLifeLine = (url: string, Request: typeof XMLHttpRequest): (() => boolean) | undefined => {
  const isCut = () => {
    const request = new Request()
    try {
      request.open('GET', url, false)
      request.send()
      return request.status !== 200
    } catch {
      return true
    }
  }
  return isCut() ? undefined : isCut
}
