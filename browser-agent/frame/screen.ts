/** Keeps the screen of a phone on while it lends, if its owner says so: a browser stops the pages of one that is dark. */
import type { AgentView } from '../agent-view.ts'
import { make } from './dom.ts'

const KEPT = 'screen'
const REFUSED = 'Your browser does not keep the screen on now. It may be saving power.'
const MISSING = 'This browser cannot keep the screen on.'

/** A switch, off at first, and what keeps to it. `locks`: undefined in a browser without Screen Wake Lock. */
export const screenSwitch = (locks: Pick<WakeLock, 'request'> | undefined) => {
  const note = make('small', { role: 'status' }, locks ? '' : MISSING)
  const input = make('input', { type: 'checkbox', class: 'screen' })
  input.disabled = !locks
  input.checked = localStorage.getItem(KEPT) !== null
  let lock: WakeLockSentinel | undefined
  let isLending = false
  let isAsked = false
  const ask = async (): Promise<void> => {
    isAsked = true
    try {
      lock = await (locks as WakeLock).request('screen')
      isAsked = false
      settle()
    } catch {
      // Asked again when it is chosen again, or seen again.
      note.textContent = REFUSED
    }
  }
  const settle = (): void => {
    if (!isLending || !input.checked) {
      void lock?.release()
      lock = undefined
    } else if ((!lock || lock.released) && !isAsked && document.visibilityState === 'visible') void ask()
  }
  const again = (): void => {
    isAsked = false
    note.textContent = ''
    settle()
  }
  input.addEventListener('change', () => {
    if (input.checked) localStorage.setItem(KEPT, 'on')
    else localStorage.removeItem(KEPT)
    again()
  })
  // A browser lets go of it when the page is hidden.
  if (locks) document.addEventListener('visibilitychange', again)
  return {
    row: make('label', {}, input, make('span', {}, 'Keep the screen on while lending ', note)),
    show({ state, reason }: AgentView): void {
      // Who touches the screen keeps it on for a moment only.
      isLending = state === 'lending' || reason === 'in-use'
      settle()
    },
  }
}
