/** What an agent says about itself, in plain words. */
import type { AgentStatus } from '../agent.ts'
import { shownDataDir } from '../data-dir.ts'
import { plainText } from '../plain-text.ts'
import type { RelayStatus } from '../relay-status.ts'
import { shortId } from '../short-id.ts'
import { embedTag } from '../web/tag.ts'
import { paintOut } from './terminal.ts'
import { acceptWords, countOf, countWords, durationWords, sizeWords, tableWords } from './words.ts'

const row = (name: string, text: string) => `  ${paintOut('dim', name.padEnd(8))} ${text}\n`
const more = (text: string) => row('', text)

const lendsWords = (status: AgentStatus): string => {
  const { slots, memory_bytes, disk_bytes } = status.lends
  if (slots === 0) return 'nothing: it only calls others'
  const memory = `${sizeWords(status.memory_bytes_lent)} of memory`
  const each = slots > 1 ? ` (${sizeWords(memory_bytes)} a task)` : ''
  return `${countOf(slots, 'core')} at lowest priority, ${memory}${each}, ${sizeWords(disk_bytes)} of disk; nothing on battery`
}

/** What holds a function that broke out of its engine. */
const sandboxWords = ({ sandbox }: AgentStatus): string =>
  sandbox.lacks === null
    ? 'functions are cut off from files, network and other processes'
    : `${paintOut('yellow', 'not cut off by the system')}, by Node's permissions alone: ${plainText(sandbox.lacks)}`

const meshWords = ({ mesh }: AgentStatus): string => `"${plainText(mesh.name)}", ${mesh.admission}, ${shortId(mesh.id)}`

const inviteRows = ({ ticket }: AgentStatus): string =>
  ticket === null ? '' : `\n  Another machine joins with\n\n    ${paintOut('cyan', `wayside up --join ${ticket}`)}\n`

/** What agents serve to pages, and what a site owner copies. */
const webRows = ({ web, peer, ticket }: AgentStatus): string => {
  const [origin] = web?.origins ?? []
  if (!web || origin === undefined) return ''
  const tag = embedTag(web, { origin, ticket: ticket ?? 'TICKET', accept: peer })
  const lines = tag.trimEnd().split('\n').join('\n    ')
  const where = web.origins.join(', ')
  return `\n  It serves pages, at ${where}. This tag is for them; the ticket in it admits their visitors:\n\n    ${paintOut('cyan', lines)}\n`
}

const webRow = ({ web }: AgentStatus): string =>
  web
    ? row('serves', `pages, at ${web.origins.slice(0, 3).join(', ')}; \`wayside status\` prints the tag for them`)
    : ''

const phoneRow = ({ phone }: AgentStatus): string => (phone === null ? '' : row('phone', `lends at ${phone}`))

const relayWords = ({ reservations, reservations_max, circuits, circuits_max, ...each }: RelayStatus): string =>
  `for ${countOf(reservations, 'peer')} of at most ${reservations_max} now, ${circuits} of ${circuits_max} connections; each ${sizeWords(each.circuit_bytes_max)} and ${durationWords(each.circuit_ms_max)} at most`

/** What it carries, and why pages cannot dial it directly if so. */
const wayRows = ({ relay, without_webrtc: lacks }: AgentStatus): string =>
  (relay ? row('carries', relayWords(relay)) : '') +
  (lacks === null ? '' : row('webrtc', `${paintOut('yellow', 'does not work here')}: ${plainText(lacks)}`))

/** What `up` prints once. */
export const upWords = (status: AgentStatus): string => {
  const { shown, flag } = shownDataDir(status.data)
  return [
    `${paintOut('bold', `wayside ${status.wayside}`)} lends this machine\n\n`,
    row('lends', lendsWords(status)),
    row('to', acceptWords(status.lends, status.mesh)),
    row('sandbox', sandboxWords(status)),
    row('mesh', meshWords(status)),
    row('peer', status.peer),
    ...status.addresses
      .slice(0, 4)
      .map((address, i) => row(i === 0 ? 'listens' : '', address.replace(/\/p2p\/.*/, ''))),
    wayRows(status),
    webRow(status),
    row('data', `${shown} (process ${status.pid})`),
    inviteRows(status),
    `\n  ${paintOut('dim', `wayside status${flag} says what runs here and for whom; wayside down${flag} stops it.`)}\n\n`,
  ].join('')
}

const stateWords = (status: AgentStatus): string => {
  const { paused_by: by, paused_until: until } = status
  if (until === null) return paintOut('green', status.lends.slots === 0 ? 'lends nothing' : 'lending')
  if (by === 'battery')
    return `${paintOut('yellow', 'paused')}: the machine runs on battery; \`wayside resume\` lends anyway`
  const end = until === 'resumed' ? 'until `wayside resume`' : `until ${new Date(until).toTimeString().slice(0, 5)}`
  return `${paintOut('yellow', 'paused')} by you, ${end}`
}

const runningRows = ({ running }: AgentStatus): string => {
  if (running.length === 0) return row('running', 'nothing')
  const shown = running.slice(0, 10).map((task) => {
    const what = `${shortId(task.function)}#${task.export}`
    return more(`  ${what} for ${shortId(task.peer)}, ${task.state} for ${durationWords(task.since_ms)}`)
  })
  const rest = running.length > 10 ? [more(`  and ${running.length - 10} more`)] : []
  return [row('running', countOf(running.length, 'task')), ...shown, ...rest].join('')
}

const refusalRow = ({ last_refusal: last }: AgentStatus): string => {
  if (!last) return ''
  const ago = durationWords(Math.max(0, Date.now() - last.at_ms))
  return row('refused', `${shortId(last.peer)}, ${ago} ago: ${last.message} (${last.code})`)
}

const todayWords = ({ today }: AgentStatus): string =>
  `${countOf(today.tasks, 'task')}, ${durationWords(today.run_ms)} of CPU, ${sizeWords(today.bytes)}; ${countOf(today.refused, 'task')} refused`

const memoWords = ({ memo }: AgentStatus): string => {
  const kept =
    memo.entries === 0 ? 'nothing yet' : `${countOf(memo.entries, 'verified answer')}, ${sizeWords(memo.bytes)}`
  const asked = memo.hits + memo.misses
  return asked === 0 ? kept : `${kept}; answered ${countWords(memo.hits)} of ${countOf(asked, 'call')}`
}

/** Of functions that were called from here: of those that travelled nobody waited for an answer. */
const readsRow = ({ reads }: AgentStatus): string => {
  const all = reads ? reads.foreseen + reads.asked : 0
  if (!reads || all === 0) return ''
  const share = Math.floor((100 * reads.foreseen) / all)
  return row(
    'reads',
    `${countWords(reads.foreseen)} of ${countWords(all)} from the state went with their calls, ${share} %; functions waited ${countOf(reads.waits, 'time')}`,
  )
}

const peersInReach = ({ neighbours }: AgentStatus): string => {
  if (neighbours.length === 0) return 'none in reach'
  const own = neighbours.filter((one) => one.own).length
  const yours = own === 0 ? '' : `, ${countWords(own)} of them yours`
  return `${countOf(neighbours.length, 'peer')} in reach${yours}; \`wayside peers\` lists them`
}

/** What `status` prints. */
export const statusWords = (status: AgentStatus): string => {
  const { shown, flag } = shownDataDir(status.data)
  return [
    `${stateWords(status)} ${paintOut('dim', `· up ${durationWords(status.up_ms)} · wayside ${status.wayside}`)}\n\n`,
    row('lends', lendsWords(status)),
    row('to', acceptWords(status.lends, status.mesh)),
    runningRows(status),
    row('today', todayWords(status)),
    refusalRow(status),
    row('peers', peersInReach(status)),
    row('disk', `${sizeWords(status.disk.bytes)} in ${countOf(status.disk.blocks, 'block')} of code`),
    row('memo', memoWords(status)),
    readsRow(status),
    row('sandbox', sandboxWords(status)),
    row('mesh', meshWords(status)),
    row('peer', status.peer),
    wayRows(status),
    phoneRow(status),
    row('data', `${shown} (process ${status.pid})`),
    row(
      'invite',
      `\`wayside invite${flag}\` prints a ticket (--own: for a machine of yours), \`wayside mesh${flag}\` says who is in`,
    ),
    webRows(status),
  ].join('')
}

const trustWords = ({ own, trust }: AgentStatus['neighbours'][0]): string => {
  if (trust.receipts === 0 || (own && trust.caught === 0)) return ''
  return trust.state === 'probation' ? `probation, ${countOf(trust.left, 'receipt')} more` : trust.state
}

/** What `peers` prints: a row each. */
export const peersWords = ({ neighbours }: AgentStatus): string => {
  if (neighbours.length === 0) return 'no peer in reach\n'
  const rows = neighbours.map((one) => [
    one.peer,
    `${one.round_trip_ms.toFixed(1)} ms`,
    one.slots === 0 ? 'lends nothing' : `${one.free} of ${one.slots} free`,
    one.queued > 0 ? `${one.queued} waiting` : '',
    one.in_flight > 0 ? `${one.in_flight} of ours` : '',
    trustWords(one),
    one.own ? 'yours' : one.member ? '' : 'no member',
    one.addresses[0]?.replace(/\/p2p\/.*/, '') ?? '',
  ])
  return tableWords(rows)
}
