/** What a cycle is called, and what it says: one sentence for each edge. */
import type { Step } from './cycle.ts'
import { type Graph, KINDS, type Kind } from './graph.ts'
import type { Anomaly, Versions, Violation } from './versions.ts'

type Link = Kind | 'time'

const linkOf = (graph: Graph, { edge }: Step): Link =>
  edge === -1 ? 'time' : (KINDS[graph.kinds[edge] as number] as Kind)

const isAnti = (link: Link) => link === 'rw' || link === 'list'

/** After Adya (1999) and, where reads of two see two writes in different orders, Sovran and others (2011). */
const anomalyOf = (links: readonly Link[], isOneKey: boolean): Anomaly => {
  const anti = links.filter(isAnti).length
  if (links.includes('time')) return anti > 0 ? 'stale read' : 'real-time reversal'
  // Versions are in the order of revisions: so writes alone (G0) make no cycle.
  if (anti === 0) return 'G1c circular information flow'
  if (anti === 1) return isOneKey && links.length === 2 && links.includes('ww') ? 'lost update' : 'read skew'
  const isAdjacent = links.some((link, i) => isAnti(link) && isAnti(links[(i + 1) % links.length] as Link))
  if (!isAdjacent) return 'long fork'
  return links.includes('list') ? 'phantom' : 'write skew'
}

const keyOf = (versions: Versions, version: number): string => {
  let key = 0
  while ((versions.starts[key + 1] as number) <= version) key += 1
  return versions.keys[key] as string
}

const sentence = (versions: Versions, graph: Graph, { transaction, edge }: Step, next: number): string => {
  const [a, b] = [versions.nameOf(transaction), versions.nameOf(next)]
  if (edge === -1)
    return `${a} had ended (event ${graph.endedAt[transaction]}) before ${b} began (event ${graph.beganAt[next]})`
  const version = graph.versions[edge] as number
  const key = keyOf(versions, version)
  const made = `${versions.isGone[version] === 1 ? 'deleted' : 'wrote'} ${key} as version ${versions.revisions[version]}`
  switch (KINDS[graph.kinds[edge] as number]) {
    case 'wr':
      return `${a} ${made}, and ${b} saw that`
    case 'ww':
      return `${a} wrote ${key} before ${b} ${made}, the next version`
    case 'rw':
      return `${a} read ${key} as it was before ${b} ${made}`
    default:
      return `${a} made a list without ${key}, and ${b} ${made} after that`
  }
}

export const violationOf = (versions: Versions, graph: Graph, cycle: readonly Step[]): Violation => {
  const links = cycle.map((step) => linkOf(graph, step))
  const keys = new Set(
    cycle.flatMap(({ edge }) => (edge === -1 ? [] : [keyOf(versions, graph.versions[edge] as number)])),
  )
  const anomaly = anomalyOf(links, keys.size === 1)
  const lines = cycle.map((step, i) => {
    const next = (cycle[(i + 1) % cycle.length] as Step).transaction
    return `${sentence(versions, graph, step, next)} (${links[i]})`
  })
  const words = [
    `${anomaly}: in no serial order does each of these come before the next, and the last before the first`,
    ...lines,
  ]
  return {
    anomaly,
    transactions: cycle.map(({ transaction }) => versions.nameOf(transaction)),
    words: words.join('\n  '),
  }
}
