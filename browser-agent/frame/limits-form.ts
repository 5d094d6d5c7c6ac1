/** What the visitor may choose: share of CPU, when, on which power and network, and how much a day. */
import type { LendingLimits } from '../agent-view.ts'
import { make } from './dom.ts'
import { bytesWords, durationWords } from './words.ts'

const MINUTE_MS = 60_000
const CPU_CHOICES = [15, 30, 60, 120, 240, 480].map((minutes) => minutes * MINUTE_MS)
const BYTES_CHOICES = [25, 100, 200, 500, 1000, 5000].map((megabytes) => megabytes * 1e6)

/** The checkboxes: each narrows. */
const ONLY: { text: string; isOn(limits: LendingLimits): boolean; limits(on: boolean): Partial<LendingLimits> }[] = [
  {
    text: 'Only while this page is hidden or you are away',
    isOn: ({ when }) => when === 'hidden-or-idle',
    limits: (on) => ({ when: on ? 'hidden-or-idle' : 'always' }),
  },
  { text: 'Only on power', isOn: ({ onBattery }) => !onBattery, limits: (on) => ({ onBattery: !on }) },
  { text: 'Only on unmetered networks', isOn: ({ onMetered }) => !onMetered, limits: (on) => ({ onMetered: !on }) },
]

type Limit = (limits: Partial<LendingLimits>) => void

const shareSlider = (limit: Limit) => {
  const input = make('input', { type: 'range', min: '5', max: '100', step: '5' })
  const output = make('output', { class: 'number' })
  const show = (share: number) => {
    // Not while it is being moved.
    if (!input.matches(':active')) input.value = `${Math.round(share * 100)}`
    output.textContent = `${input.value} %`
    input.setAttribute('aria-valuetext', `${input.value} % of each core`)
  }
  input.addEventListener('input', () => show(Number(input.value) / 100))
  input.addEventListener('change', () => limit({ cpuShare: Number(input.value) / 100 }))
  return { row: make('label', {}, 'Share of CPU', input, output), show }
}

const choice = (
  text: string,
  values: readonly number[],
  words: (value: number) => string,
  chosen: (value: number) => void,
) => {
  const select = make('select')
  const show = (value: number) => {
    if (select.value === `${value}`) return
    const all = [...new Set([...values, value])].sort((a, b) => a - b)
    select.replaceChildren(...all.map((one) => make('option', { value: `${one}` }, words(one))))
    select.value = `${value}`
  }
  select.addEventListener('change', () => chosen(Number(select.value)))
  return { row: make('label', {}, make('span', {}, text), select), show }
}

/** `more`: rows that are no limits. */
export const limitsForm = (limit: Limit, more: readonly HTMLElement[]) => {
  const share = shareSlider(limit)
  const only = ONLY.map((one) => {
    const input = make('input', { type: 'checkbox' })
    input.addEventListener('change', () => limit(one.limits(input.checked)))
    return { one, input, row: make('label', {}, input, make('span', {}, one.text)) }
  })
  const cpu = choice('Computing a day', CPU_CHOICES, durationWords, (cpuMsPerDay) => limit({ cpuMsPerDay }))
  const data = choice('Data a day', BYTES_CHOICES, bytesWords, (bytesPerDay) => limit({ bytesPerDay }))
  const rows = [share.row, ...only.map(({ row }) => row), cpu.row, data.row, ...more]
  return {
    form: make('fieldset', { 'aria-label': 'Your limits' }, ...rows),
    show(limits: LendingLimits) {
      share.show(limits.cpuShare)
      for (const { one, input } of only) input.checked = one.isOn(limits)
      cpu.show(limits.cpuMsPerDay)
      data.show(limits.bytesPerDay)
    },
  }
}
