/** Numbers, sizes and states in words that a person reads without thinking. */
import type { VerificationRecord } from '../../protocol/records.ts'
import { plainText } from '../plain-text.ts'
import { shortId } from '../short-id.ts'

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB']

/** `512 MiB`, `1.5 GiB`, `17 bytes`. */
export const sizeWords = (bytes: number): string => {
  const step = Math.min(UNITS.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10))
  const count = bytes / 1024 ** step
  return `${Math.round(count * 10) / 10} ${UNITS[step]}`
}

/** `3 h 12 min`, `2 min 5 s`, `4 s`, `0.3 s`. */
export const durationWords = (ms: number): string => {
  const seconds = ms / 1000
  if (seconds < 1) return `${Math.round(seconds * 100) / 100} s`
  if (seconds < 10) return `${Math.round(seconds * 10) / 10} s`
  if (seconds < 60) return `${Math.round(seconds)} s`
  const minutes = Math.round(seconds / 60)
  if (seconds < 600) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`
  if (minutes < 60) return `${minutes} min`
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
  return `${Math.round(minutes / (24 * 60))} days`
}

/** `1,024`. */
export const countWords = (n: number): string => n.toLocaleString('en-US')

/** `1 task`, `1,024 tasks`. */
export const countOf = (n: number, noun: string): string => `${countWords(n)} ${noun}${n === 1 ? '' : 's'}`

/** Who may use this machine. */
export const acceptWords = (
  { accept, deny }: { accept: readonly string[]; deny: readonly string[] },
  mesh: { name: string; admission: string },
): string => {
  const but = deny.length === 0 ? '' : `; never ${deny.map(shortId).join(', ')}`
  if (accept.includes('anyone')) {
    return `anyone who can reach it: strangers may run their code here, in a sandbox without your files and network${but}`
  }
  const invited = mesh.admission === 'private' ? ', whom a ticket invited' : ''
  const words = accept.map((rule) => {
    if (rule === 'mesh') return `members of the mesh "${plainText(mesh.name)}"${invited}`
    return rule === 'self' ? 'your own machines' : `the peer ${shortId(rule)}`
  })
  return words.length === 0 ? 'nobody' : `${words.join(' and ')}${but}`
}

/** What executors that agree have apart. */
const APART: Readonly<Record<VerificationRecord['independence'], string>> = {
  none: '',
  owner: ', on machines of one owner',
  peer: ', on machines of different owners',
  network: ', on different networks',
  inviter: ', at owners whom different members let in',
  operator: ', at different operators, on different networks',
}

/** How many executions had the same outcome, and how independent of each other. */
export const agreementWords = ({
  independence,
  verifiers,
}: Pick<VerificationRecord, 'independence' | 'verifiers'>): string =>
  `${countWords(verifiers + 1)} executions agree${APART[independence]}`

/** A line for each row, whose cells stand below one another; a column of nothing is left out. All have as many cells. */
export const tableWords = (rows: readonly (readonly string[])[]): string => {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0))) ?? []
  const lineOf = (cells: readonly string[]) => cells.map((cell, i) => (widths[i] ? `${cell.padEnd(widths[i])}  ` : ''))
  return rows.map((cells) => `${lineOf(cells).join('').trimEnd()}\n`).join('')
}
