/** The badge and, when it is opened, the panel: made once, and told of each change. */
import type { AgentView, LendingLimits } from '../agent-view.ts'
import { type Children, make } from './dom.ts'
import { limitsForm } from './limits-form.ts'
import {
  bytesWords,
  durationWords,
  headline,
  isWorthSaying,
  lentWords,
  pauseWords,
  peersWords,
  shortPeer,
  taskWords,
  unkeptWords,
} from './words.ts'

export interface PanelActions {
  stop(): void
  forget(): void
  limit(limits: Partial<LendingLimits>): void
  /** Below the limits. */
  rows: readonly HTMLElement[]
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
    const since = make('span', { class: 'quiet number' }, durationWords(Date.now() - task.sinceMs))
    return make('li', {}, make('b', {}, taskWords(task)), since, make('small', {}, `for ${shortPeer(task.invoker)}`))
  })
  list.replaceChildren(...(items.length > 0 ? items : [make('li', { class: 'quiet' }, 'Nothing at the moment.')]))
}

/** How much of today's allowance is used: a number, and a bar. */
const allowance = (title: string, words: (amount: number) => string) => {
  const bar = make('progress', { 'aria-label': `${title} today` })
  const used = make('span', { class: 'number' })
  const most = make('small')
  return {
    group: make('div', {}, make('dt', {}, title), make('dd', {}, used, bar, most)),
    show(amount: number, amountMax: number) {
      bar.max = amountMax
      bar.value = Math.min(amount, amountMax)
      bar.setAttribute('aria-valuetext', `${words(amount)} of ${words(amountMax)}`)
      setText(used, words(amount))
      setText(most, `of ${words(amountMax)}`)
    },
  }
}

const figures = () => {
  const computing = allowance('Computing', durationWords)
  const data = allowance('Data', bytesWords)
  const tasks = make('dd', { class: 'number' })
  const list = make('dl', {}, computing.group, data.group, make('div', {}, make('dt', {}, 'Tasks done'), tasks))
  const show = ({ today, limits }: AgentView) => {
    computing.show(today.cpuMs, limits.cpuMsPerDay)
    data.show(today.bytes, limits.bytesPerDay)
    setText(tasks, today.tasks.toLocaleString('en'))
  }
  return { list, show }
}

/** Who this is, and the way to be forgotten, which asks once more, in place. */
const forgetting = (forget: () => void) => {
  const peer = make('span', { class: 'quiet' })
  const row = make('div', { class: 'last' })
  const offer = button('Forget everything…', 'plain forget', () => {
    const question = make('p', { id: 'sure' }, 'Stop, and erase your identity, limits and counts here?')
    const keep = button('Keep', 'keep', () => {
      row.replaceChildren(peer, offer)
      offer.focus()
    })
    const erase = button('Erase', 'erase', forget)
    for (const one of [keep, erase]) one.setAttribute('aria-describedby', 'sure')
    row.replaceChildren(question, keep, erase)
    keep.focus()
  })
  row.append(peer, offer)
  return { row, peer }
}

/** A part that opens and closes by a button, and closes by Escape. */
const folding = (main: HTMLElement, panel: HTMLElement): HTMLButtonElement => {
  const fold = (open: boolean) => {
    main.toggleAttribute('data-open', open)
    more.setAttribute('aria-expanded', `${open}`)
    panel.hidden = !open
  }
  const more = button('', 'more', () => fold(!main.hasAttribute('data-open')))
  more.setAttribute('aria-label', 'Details')
  more.setAttribute('aria-controls', panel.id)
  main.addEventListener('keydown', ({ key }) => {
    if (key !== 'Escape' || panel.hidden) return
    fold(false)
    more.focus()
  })
  // A page of its own has nothing else to show.
  fold('alone' in main.dataset)
  return more
}

/** Fills `main`. `mark` is the drawing that stands before the name. */
export const makePanel = (main: HTMLElement, mark: Element, actions: PanelActions): Panel => {
  const spoken = make('p', { role: 'status', class: 'spoken' })
  const state = make('b', { class: 'state' })
  const small = make('small')
  const lent = make('p')
  const list = make('ul')
  const today = figures()
  const limits = limitsForm(actions.limit, actions.rows)
  const unkept = make('p', { class: 'unkept' })
  const last = forgetting(actions.forget)
  const panel = make('div', { id: 'panel', class: 'panel' })
  panel.append(
    lent,
    section('Runs now', list),
    section('Today', today.list),
    section('Your limits', limits.form, unkept),
    last.row,
  )
  const stop = button('Stop', 'stop', actions.stop)
  const badge = make('div', { class: 'badge' }, mark, make('div', {}, state, small), folding(main, panel), stop)
  main.replaceChildren(make('h1', { class: 'spoken' }, 'Wayside'), spoken, badge, panel)
  main.dataset.state = 'lending'
  return {
    show(view, hiddenBySite) {
      const why = view.failure && view.state !== 'lending' ? view.failure.message : pauseWords(view, hiddenBySite)
      main.classList.toggle('paused', view.state !== 'lending' || hiddenBySite)
      setText(state, headline(view, hiddenBySite))
      setText(small, why || `for ${peersWords(view.accept)}`)
      small.title = view.accept.join(' ')
      setText(unkept, unkeptWords(view))
      if (view.unkept) setText(spoken, `Wayside: ${unkeptWords(view)}`)
      else if (isWorthSaying(view))
        setText(spoken, `Wayside: ${headline(view, false)}${view.state === 'failed' ? ` (${why})` : ''}`)
      setText(lent, lentWords(view))
      running(list, view)
      today.show(view)
      limits.show(view.limits)
      setText(last.peer, view.peer ? `You are ${shortPeer(view.peer)}` : '')
    },
  }
}

/** Says what is over, and offers to begin anew. */
export const showEnd = (main: HTMLElement, text: string): void => {
  const again = button('Ask me again', '', () => location.reload())
  again.setAttribute('aria-describedby', 'end')
  const mark = main.querySelector('svg') ?? ''
  main.removeAttribute('data-open')
  main.className = 'paused'
  main.dataset.state = 'ended'
  main.replaceChildren(
    make('h1', { class: 'spoken' }, 'Wayside'),
    mark,
    make('p', { id: 'end', role: 'status' }, text),
    again,
  )
  again.focus({ preventScroll: true })
}
