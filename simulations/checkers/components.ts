/** Strongly connected components by Tarjan's algorithm (1972), with a stack of its own: histories are long. */
import type { Graph } from './graph.ts'

/** The transactions of each component with a cycle, by their numbers. */
export const cyclicComponents = ({ nodes, transactions, starts, targets }: Graph): Int32Array[] => {
  const found: Int32Array[] = []
  const order = new Int32Array(nodes).fill(-1)
  const low = new Int32Array(nodes)
  const isOpen = new Uint8Array(nodes)
  const edge = starts.slice()
  const open = new Int32Array(nodes)
  const path = new Int32Array(nodes)
  let [opened, depth, met] = [0, 0, 0]

  const enter = (node: number): void => {
    order[node] = low[node] = met++
    open[opened++] = node
    isOpen[node] = 1
    path[depth++] = node
  }
  const leave = (node: number): void => {
    depth -= 1
    if (depth > 0) {
      const parent = path[depth - 1] as number
      low[parent] = Math.min(low[parent] as number, low[node] as number)
    }
    if (low[node] !== order[node]) return
    const end = opened
    do isOpen[open[--opened] as number] = 0
    while (open[opened] !== node)
    if (end - opened === 1) return
    found.push(open.slice(opened, end).filter((member) => member < transactions))
  }

  for (let root = 0; root < transactions; root++) {
    if (order[root] !== -1) continue
    enter(root)
    while (depth > 0) {
      const node = path[depth - 1] as number
      const at = edge[node] as number
      if (at === starts[node + 1]) {
        leave(node)
        continue
      }
      edge[node] = at + 1
      const target = targets[at] as number
      if (order[target] === -1) enter(target)
      else if (isOpen[target] === 1) low[node] = Math.min(low[node] as number, order[target] as number)
    }
  }
  return found
}
