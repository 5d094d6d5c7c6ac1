/** Who calls whom in the engine. What calls a function of the table may reach all that are in it and have its type. */
import binaryen from 'binaryen'
import { callIndirectOf, callOf, ownFunctions, walk } from './expressions.ts'

export type CallGraph = ReadonlyMap<string, ReadonlySet<string>>

const typeKey = (params: binaryen.Type, results: binaryen.Type) => `${params}>${results}`

const tableByType = (module: binaryen.Module): Map<string, string[]> => {
  const byType = new Map<string, string[]>()
  for (let i = 0; i < module.getNumElementSegments(); i++)
    for (const name of binaryen.getElementSegmentInfo(module.getElementSegmentByIndex(i)).data) {
      const { params, results } = binaryen.getFunctionInfo(module.getFunction(name))
      const key = typeKey(params, results)
      byType.set(key, [...(byType.get(key) ?? []), name])
    }
  return byType
}

/** Functions that are imported call none: the glue enters the engine from within only to read a string or bytes. */
export const callGraphOf = (module: binaryen.Module): CallGraph => {
  const table = tableByType(module)
  const own = ownFunctions(module)
  const names = new Set(own.map(({ name }) => name))
  return new Map(
    own.map(({ name, body }) => {
      const called = new Set<string>()
      walk(body, (ref, id) => {
        if (id === binaryen.CallId) called.add(callOf(ref).target)
        if (id !== binaryen.CallIndirectId) return
        const { params, results } = callIndirectOf(ref)
        for (const target of table.get(typeKey(params, results)) ?? []) called.add(target)
      })
      return [name, new Set([...called].filter((target) => names.has(target)))]
    }),
  )
}

/** The functions that are on a cycle (Tarjan, 1972), and all others, each after those that it calls. */
export const recursionIn = (graph: CallGraph): { recursive: ReadonlySet<string>; others: readonly string[] } => {
  const order = new Map<string, number>()
  const lowest = new Map<string, number>()
  const open: string[] = []
  const recursive = new Set<string>()
  const others: string[] = []
  const lowestOf = (name: string) => lowest.get(name) as number
  const visit = (name: string): number => {
    const at = order.size
    order.set(name, at)
    lowest.set(name, at)
    open.push(name)
    const called = graph.get(name) as ReadonlySet<string>
    for (const next of called)
      lowest.set(name, Math.min(lowestOf(name), order.has(next) ? lowestOf(next) : visit(next)))
    if (lowestOf(name) < at) return lowestOf(name)
    const component = open.splice(open.lastIndexOf(name))
    if (component.length > 1 || called.has(name)) for (const member of component) recursive.add(member)
    else others.push(name)
    // Whoever reaches it from now on is in another component.
    for (const member of component) lowest.set(member, Number.POSITIVE_INFINITY)
    return Number.POSITIVE_INFINITY
  }
  for (const name of graph.keys()) if (!order.has(name)) visit(name)
  return { recursive, others }
}
