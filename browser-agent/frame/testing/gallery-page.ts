/** In the frame's document: shows the state that its address names, by the code that shows a real agent. */
import { makePanel, type Panel, showEnd } from '../panel.ts'
import { STATES, type State } from './gallery-states.ts'

const main = document.querySelector('main') as HTMLElement
const name = decodeURIComponent(location.search.slice(1))
const nothing = () => {}

const fill = (id: string, text: string): void => {
  ;(document.getElementById(id) as HTMLElement).textContent = text
}

/** What stands in the document before anything was loaded, after a press or the other. */
const BEFORE: Record<string, [state: string, note: string]> = {
  window: ['asking', ''],
  'window, pressed too soon': ['asking', 'Press Lend once more, if you mean it.'],
  asked: ['asking', 'Please confirm in the window.'],
  'not now': ['later', ''],
  starting: ['starting', 'Starting…'],
}

const showBefore = ([state, note]: [string, string]): void => {
  main.dataset.state = state
  if (name.startsWith('window')) main.dataset.alone = ''
  fill('site', 'map.example')
  fill('accept', '12D3…\u2060fG3LxHF')
  fill('reason', '“Helps render our open map”')
  fill('note', note)
}

/** For tests: goes on to another state. */
const showView = (panel: Panel, { view, hiddenBySite = false }: State): void => panel.show(view, hiddenBySite)

const showPanel = (state: State): void => {
  if (location.hash === '#alone') main.dataset.alone = ''
  const panel = makePanel(main, main.querySelector('svg') as Element, {
    rows: [],
    stop: nothing,
    forget: nothing,
    limit: nothing,
  })
  showView(panel, state)
  for (const selector of state.pressed ?? []) main.querySelector<HTMLElement>(selector)?.click()
  if (state.end) showEnd(main, state.end)
  Object.assign(globalThis, { gallery: { show: (next: string) => showView(panel, STATES[next] as State) } })
}

const before = BEFORE[name]
if (before) showBefore(before)
else showPanel(STATES[name] as State)

const tell = () => {
  const { width, height } = main.getBoundingClientRect()
  parent.postMessage({ wayside: [Math.ceil(width), Math.ceil(height), main.dataset.state === 'lending'] }, '*')
}
// A window has a size of its own.
if (!name.startsWith('window')) new ResizeObserver(tell).observe(main)
