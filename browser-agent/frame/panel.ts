/** The badge and, when it is opened, the panel: made once, and told of each change. */
import type { AgentView, LendingLimits } from '../agent-view.ts'
import { type Children, make } from './dom.ts'
import { limitsForm } from './limits-form.ts'
import {
  bytesWords,
  durationWords,
  headline,
  lentWords,
  pauseWords,
  peersWords,
  shortPeer,
  taskWords,
} from './words.ts'

export interface PanelActions {
  stop(): void
  forget(): void
  limit(limits: Partial<LendingLimits>): void
}

export interface Panel {
  show(view: AgentView, hiddenBySite: boolean): void
}

const button = (text: string, className: string, press: () => void): HTMLButtonElement => {
  const made = make('button', { type: 'button', class: className }, text)
  made.addEventListener('click', press)
  return made
}

const section = (title: string, ...children: Children) => make('section', {}, make('h2', {}, title), ...children)

/** Text that is set only when it changes, so that nobody is read the same twice. */
const setText = (element: Element, text: string): void => {
  if (element.textContent !== text) element.textContent = text
}

const running = (list: HTMLElement, view: AgentView): void => {
  const items = view.running.map((task) => {
    const since = durationWords(Date.now() - task.sinceMs)
    return make('li', {}, taskWords(task), make('small', {}, `for ${shortPeer(task.invoker)}, since ${since}`))
  })
  list.replaceChildren(...(items.length > 0 ? items : [make('li', { class: 'quiet' }, 'Nothing at the moment.')]))
}

const figures = () => {
  const parts = { computing: 'Computing', data: 'Data', tasks: 'Tasks done' }
  const values = Object.entries(parts).map(([key, title]) => [key, make('dd'), title] as const)
  const list = make('dl', {}, ...values.map(([, value, title]) => make('div', {}, make('dt', {}, title), value)))
  const byKey = Object.fromEntries(values) as Record<keyof typeof parts, HTMLElement>
  const show = ({ today, limits }: AgentView) => {
    const of = (text: string) => make('small', {}, `of ${text}`)
    byKey.computing.replaceChildren(durationWords(today.cpuMs), of(durationWords(limits.cpuMsPerDay)))
    byKey.data.replaceChildren(bytesWords(today.bytes), of(bytesWords(limits.bytesPerDay)))
    byKey.tasks.replaceChildren(`${today.tasks}`)
  }
  return { list, show }
}

/** Asks once more, in place. */
const forgetting = (forget: () => void): HTMLElement => {
  const row = make('div', { class: 'last' })
  const offer = () => row.replaceChildren(peer, button('Forget everything…', 'plain', sure))
  const sure = () => {
    const erase = button('Erase', '', forget)
    row.replaceChildren('Stop, and erase identity, limits and counts?', erase, button('Keep', 'plain', offer))
    erase.focus()
  }
  const peer = make('span', { class: 'quiet peer' })
  offer()
  return row
}

/** Fills `main`. `mark` is the drawing that stands before the name. */
export const makePanel = (main: HTMLElement, mark: Element, actions: PanelActions): Panel => {
  const status = make('span', { role: 'status' })
  const small = make('small')
  const more = button('', 'more', () => {
    const open = main.toggleAttribute('data-open')
    more.setAttribute('aria-expanded', `${open}`)
    panel.hidden = !open
  })
  more.setAttribute('aria-label', 'Details')
  more.setAttribute('aria-expanded', 'false')
  more.setAttribute('aria-controls', 'panel')
  const stop = button('Stop', 'stop', actions.stop)
  const lent = make('p')
  const list = make('ul')
  const today = figures()
  const limits = limitsForm(actions.limit)
  const last = forgetting(actions.forget)
  const panel = make('div', { id: 'panel', class: 'panel' })
  panel.hidden = true
  panel.append(lent, section('Runs now', list), section('Today', today.list), section('Your limits', limits.form), last)
  const title = make('h1', { hidden: '' }, 'Wayside')
  main.replaceChildren(title, make('div', { class: 'badge' }, mark, make('div', {}, status, small), more, stop), panel)
  return {
    show(view, hiddenBySite) {
      const why = view.failure && view.state !== 'lending' ? view.failure.message : pauseWords(view, hiddenBySite)
      main.classList.toggle('paused', view.state !== 'lending' || hiddenBySite)
      setText(status, headline(view, hiddenBySite))
      setText(small, why || `for ${peersWords(view.accept)}`)
      small.title = view.accept.join(' ')
      setText(
        lent,
        `${lentWords(view)} Since ${new Date(view.sinceMs).toLocaleTimeString([], { timeStyle: 'short' })}.`,
      )
      running(list, view)
      today.show(view)
      limits.show(view.limits)
      const peer = last.querySelector('.peer')
      if (peer) setText(peer, view.peer ? `You are ${shortPeer(view.peer)}` : '')
    },
  }
}
