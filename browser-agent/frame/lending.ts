/** What the frame loads once a person has agreed: the agent, and the badge that shows it. */
import { type PageAgent, startPageAgent } from '../agent.ts'
import { erasePageDatabase } from '../database.ts'
import { makePanel, showEnd } from './panel.ts'
import type { LendRequest } from './request.ts'
import { screenSwitch } from './screen.ts'
import { watchSight } from './sight.ts'

/** Written in by the build. */
declare const PANEL_STYLE: string

export interface Agreed {
  request: LendRequest
  main: HTMLElement
  /** Of checked bytes. */
  workerUrl: string
  engineUrl: string
  /** The same, checked when it is needed. */
  tierUrl: () => Promise<string>
  /** Where the choice is kept. */
  choice: string
}

/** So long the page may hide the badge, as it does when it is laid out anew. */
const HIDDEN_MS_MAX = 2000

/** This document is in no other page. */
const isAlone = window === top

const HELD = 'Erasing… Another tab still has it: close the tabs with a Wayside badge, and it goes on.'

/** All that this origin keeps: nothing in it is anybody else's. */
const eraseAll = async (waits: () => void): Promise<void> => {
  const kept = await indexedDB.databases()
  await Promise.all(kept.map(({ name = '' }) => erasePageDatabase(name, waits)))
}

/**
 * Ends `agent` when the visitor says so, here or in another tab of this browser: what was chosen is gone then, and browsers
 * tell all tabs but the one that removed it.
 */
const makeEnds = (agent: PageAgent, main: HTMLElement, choice: string) => {
  const end = (ended: Promise<void>, now: string, then: string): void => {
    showEnd(main, `Stopped. ${now}`)
    const say = (text: string) => text !== now && showEnd(main, `Stopped. ${text}`)
    ended.then(
      () => say(then),
      ({ message }: Error) => say(`Not all could be put away: ${message}.`),
    )
  }
  const stop = () => {
    end(agent.stop(), 'Nothing runs.', 'Nothing runs.')
    localStorage.removeItem(choice)
  }
  const forget = () => {
    localStorage.clear()
    const waits = () => showEnd(main, `Stopped. ${HELD}`)
    const erased = agent.forget(waits).then(() => eraseAll(waits))
    end(erased, 'Erasing…', 'All is erased.')
  }
  addEventListener('storage', ({ key, newValue }) => {
    if (key === null) forget()
    else if (key === choice && newValue === null) stop()
  })
  return { stop, forget }
}

/** Whoever agreed is not asked again, once that has led to something: a start that fails is not tried on the next visit. */
const keepChoice = (agent: PageAgent, choice: string): void => {
  const unsubscribe = agent.subscribe(({ neighbours }) => {
    if (neighbours === 0) return
    unsubscribe()
    localStorage.setItem(choice, 'agreed')
  })
}

/** Starts the agent and shows it in `main`. Throws what keeps it from starting. */
export const lend = async ({ request, main, choice, ...assets }: Agreed): Promise<void> => {
  const { mesh, accept } = request
  // A page of its own is opened to lend: whoever looks at it wants to see that.
  const limits = isAlone ? ({ when: 'always' } as const) : {}
  const agent = await startPageAgent({ mesh, accept, limits, ...assets })
  if (isAlone && location.hash) localStorage.asked = location.hash.slice(1)
  const style = new CSSStyleSheet()
  style.replaceSync(PANEL_STYLE)
  document.adoptedStyleSheets.push(style)
  const ends = makeEnds(agent, main, choice)
  const screen = isAlone ? screenSwitch(navigator.wakeLock) : undefined
  const panel = makePanel(main, main.querySelector('svg') as Element, {
    limit: (limits) => agent.limit(limits),
    rows: screen ? [screen.row] : [],
    ...ends,
  })
  keepChoice(agent, choice)
  let hiddenBySite = false
  const show = () => {
    panel.show(agent.view(), hiddenBySite)
    screen?.show(agent.view())
  }
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
