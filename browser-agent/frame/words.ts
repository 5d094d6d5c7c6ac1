/** What the control says, in plain words: pure functions of an agent's view. */
import type { AgentView, PauseReason, RunningTask } from '../agent-view.ts'

const PAUSES: Record<PauseReason, string> = {
  'in-use': 'while you use the page',
  battery: 'the device is on battery',
  'power-saver': 'the device saves power',
  'data-saver': 'the browser saves data',
  metered: 'this network may cost money',
  pressure: 'the device is busy or hot',
  'cpu-cap': 'today’s computing time is used up',
  'data-cap': 'today’s data is used up',
  'another-tab': 'another tab of this browser lends',
  frozen: 'the browser has frozen the page',
  owner: 'you paused it',
  offline: 'there is no network',
}

/** `hiddenBySite`: this page covers, moves or shrinks the badge. */
export const pauseWords = (view: AgentView, hiddenBySite: boolean): string =>
  hiddenBySite ? 'this page hides part of this badge' : view.reason ? PAUSES[view.reason] : ''

/** Is a state read out to those who do not see it? Pauses come and go with each use of the page. */
export const isWorthSaying = ({ state }: AgentView): boolean => state !== 'paused'

/** The badge's headline. */
export const headline = (view: AgentView, hiddenBySite: boolean): string => {
  switch (view.state) {
    case 'joining':
      return 'Joining…'
    case 'failed':
      return 'Not lending'
    case 'stopped':
      return 'Stopped'
    case 'paused':
      return 'Paused'
    case 'lending':
      return hiddenBySite ? 'Paused' : 'Lending'
  }
}

/** Its end tells it from others; all begin alike. The joiner keeps the line from breaking in it. */
export const shortPeer = (peer: string): string =>
  peer.length > 20 ? `${peer.slice(0, 4)}…\u2060${peer.slice(-8)}` : peer

export const peersWords = (peers: readonly string[]): string => peers.map(shortPeer).join(', ')

/** `3 min 20 s`: at most two units, the smallest a second. */
export const durationWords = (ms: number): string => {
  const seconds = Math.floor(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  const rest = minutes < 10 && seconds % 60 > 0 ? ` ${seconds % 60} s` : ''
  if (minutes < 60) return `${minutes} min${rest}`
  const hours = Math.floor(minutes / 60)
  return `${hours} h${minutes % 60 > 0 ? ` ${minutes % 60} min` : ''}`
}

/** Decimal units, as network contracts count. */
export const bytesWords = (bytes: number): string => {
  if (bytes < 1000) return `${bytes} B`
  const power = Math.min(3, Math.floor(Math.log10(bytes) / 3))
  const value = bytes / 1000 ** power
  return `${value < 10 ? Math.round(value * 10) / 10 : Math.round(value)} ${['B', 'kB', 'MB', 'GB'][power]}`
}

/** `render#tile`, or the beginning of what names the function. */
export const taskWords = ({ name, functionCid, exportName }: RunningTask): string => {
  const text = name || `${functionCid.slice(0, 12)}…`
  return exportName === 'default' ? text : `${text}#${exportName}`
}

const clock = (ms: number): string => new Date(ms).toLocaleTimeString('en', { timeStyle: 'short', hour12: false })

/** What a visitor chose counts, but this browser does not keep it. */
export const unkeptWords = ({ unkept }: AgentView): string =>
  unkept ? `Your choice counts until this page is closed: ${unkept.message}.` : ''

/** What is lent, in sentences. */
export const lentWords = ({ limits, neighbours, meshName, sinceMs }: AgentView): string => {
  const share = `up to ${Math.round(limits.cpuShare * 100)} % of ${limits.cores === 1 ? 'one core' : `${limits.cores} cores`}`
  const others = ['nobody', 'one neighbour'][neighbours] ?? `${neighbours} neighbours`
  return `May use ${share}${meshName ? ` for the mesh “${meshName}”` : ''}. Started at ${clock(sinceMs)}, connected to ${others}.`
}
