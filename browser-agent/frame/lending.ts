/** What the frame loads once a person has agreed: the agent, and the badge that shows it. */
import { startPageAgent } from '../agent.ts'
import { makePanel, showEnd } from './panel.ts'
import type { LendRequest } from './request.ts'
import { watchSight } from './sight.ts'

/** Written in by the build. */
declare const PANEL_STYLE: string

export interface Agreed {
  request: LendRequest
  main: HTMLElement
  /** Of checked bytes. */
  workerUrl: string
  engineUrl: string
  /** Where the choice is kept. */
  choice: string
}

/** So long the page may hide the badge, as it does when it is laid out anew. */
const HIDDEN_MS_MAX = 2000

/** This document is in no other page. */
const isAlone = window === top

/** Starts the agent and shows it in `main`. Throws what keeps it from starting. */
export const lend = async ({ request, main, workerUrl, engineUrl, choice }: Agreed): Promise<void> => {
  const { mesh, accept } = request
  // A page of its own is opened to lend: whoever looks at it wants to see that.
  const limits = isAlone ? ({ when: 'always' } as const) : {}
  const agent = await startPageAgent({ mesh, accept, limits, workerUrl, engineUrl })
  const style = new CSSStyleSheet()
  style.replaceSync(PANEL_STYLE)
  document.adoptedStyleSheets.push(style)
  const panel = makePanel(main, main.querySelector('svg') as Element, {
    limit: (limits) => agent.limit(limits),
    stop: () => {
      void agent.stop()
      localStorage.removeItem(choice)
      showEnd(main, 'Stopped. Nothing runs.')
    },
    forget: () => {
      void agent.forget()
      localStorage.clear()
      showEnd(main, 'Stopped, and all is erased.')
    },
  })
  let hiddenBySite = false
  const show = () => panel.show(agent.view(), hiddenBySite)
  show()
  agent.subscribe(show)
  addEventListener('message', ({ source, data }) => {
    if (source === parent && data === 'used') agent.touched()
  })
  if (isAlone) return
  let timer: ReturnType<typeof setTimeout> | undefined
  watchSight(main.querySelector('.badge') as Element, (seen) => {
    clearTimeout(timer)
    const apply = () => {
      hiddenBySite = !seen
      if (seen) agent.resume()
      else agent.pause()
      show()
    }
    if (seen) apply()
    else timer = setTimeout(apply, HIDDEN_MS_MAX)
  })
}
