/** acorn: which variables a source declares, and where. */
import { type Node, parse } from 'acorn'

const isNode = (x: unknown): x is Node => typeof (x as Node | null)?.type === 'string'

export default function declared(source: string) {
  const found: string[] = []
  const walk = (node: Node) => {
    if (node.type === 'VariableDeclarator' || node.type === 'FunctionDeclaration') {
      const { name, loc } = (node as Node & { id: Node & { name: string } }).id
      found.push(`${name} at ${loc?.start.line}:${loc?.start.column}`)
    }
    for (const part of Object.values(node).flat()) if (isNode(part)) walk(part)
  }
  walk(parse(source, { ecmaVersion: 2024, sourceType: 'module', locations: true }))
  return found
}
