/** The shortest cycle of a component, counted in transactions. */
import type { Graph } from './graph.ts'

/** One comes before the next, the last before the first. */
export interface Step {
  transaction: number
  /** Of the graph, to the next; -1: it had ended before the next began. */
  edge: number
}

/** Edges that a search looks at: where a whole history is one component, the shortest of those found has to do. */
const LOOKS_MAX = 20_000_000

export class CycleSearch {
  readonly #graph: Graph
  readonly #members: Int32Array
  readonly #isMember: Uint8Array
  readonly #byBegin: Int32Array
  #looks = LOOKS_MAX

  constructor(graph: Graph, members: Int32Array) {
    this.#graph = graph
    this.#members = members
    this.#isMember = new Uint8Array(graph.nodes)
    for (const member of members) this.#isMember[member] = 1
    const { beganAt } = graph
    this.#byBegin = members.slice().sort((a, b) => (beganAt[a] as number) - (beganAt[b] as number))
  }

  /** One of two transactions without real time before one with it, and those before longer ones. */
  shortest(): Step[] {
    return this.#ofTwo() ?? this.#longer()
  }

  #isBefore(a: number, b: number): boolean {
    return (this.#graph.endedAt[a] as number) < (this.#graph.beganAt[b] as number)
  }

  #ofTwo(): Step[] | undefined {
    const { nodes, starts, targets } = this.#graph
    const edges = new Map<number, number>()
    let withTime: Step[] | undefined
    for (const a of this.#members) {
      for (let edge = starts[a] as number; edge < (starts[a + 1] as number); edge++) {
        const b = targets[edge] as number
        if (this.#isMember[b] !== 1) continue
        const back = edges.get(b * nodes + a)
        const cycle = (edgeBack: number) => [
          { transaction: b, edge: edgeBack },
          { transaction: a, edge },
        ]
        if (back !== undefined) return cycle(back)
        if (!edges.has(a * nodes + b)) edges.set(a * nodes + b, edge)
        if (this.#isBefore(b, a)) withTime ??= cycle(-1)
      }
    }
    return withTime
  }

  #longer(): Step[] {
    let best: Step[] = []
    for (const start of this.#members) {
      if (this.#looks <= 0 && best.length > 0) break
      const found = this.#from(start, best.length || Infinity)
      if (found) best = found
    }
    return best
  }

  /** Breadth first: the shortest cycle through `start` of fewer than `lengthMax` transactions. */
  #from(start: number, lengthMax: number): Step[] | undefined {
    const { starts, targets, nodes } = this.#graph
    const byEdge = new Int32Array(nodes).fill(-2)
    const parent = new Int32Array(nodes).fill(-1)
    const length = new Int32Array(nodes)
    const queue = [start]
    /** All from here on that begin late enough have been reached by real time. */
    let reachedFrom = this.#byBegin.length
    const reach = (from: number, to: number, edge: number) => {
      if (to === start || parent[to] !== -1) return
      parent[to] = from
      byEdge[to] = edge
      length[to] = (length[from] as number) + 1
      queue.push(to)
    }
    for (let at = 0; at < queue.length; at++) {
      const node = queue[at] as number
      if ((length[node] as number) + 1 >= lengthMax) return undefined
      for (let edge = starts[node] as number; edge < (starts[node + 1] as number); edge++) {
        this.#looks -= 1
        const target = targets[edge] as number
        if (target === start) return this.#back(start, node, edge, { parent, byEdge })
        if (this.#isMember[target] === 1) reach(node, target, edge)
      }
      if (this.#isBefore(node, start)) return this.#back(start, node, -1, { parent, byEdge })
      for (let next = reachedFrom - 1; next >= 0 && this.#isBefore(node, this.#byBegin[next] as number); next--) {
        this.#looks -= 1
        reachedFrom = next
        reach(node, this.#byBegin[next] as number, -1)
      }
    }
    return undefined
  }

  #back(start: number, last: number, edge: number, tree: { parent: Int32Array; byEdge: Int32Array }): Step[] {
    const cycle: Step[] = [{ transaction: last, edge }]
    for (let node = last; node !== start; ) {
      const parent = tree.parent[node] as number
      cycle.unshift({ transaction: parent, edge: tree.byEdge[node] as number })
      node = parent
    }
    return cycle
  }
}
