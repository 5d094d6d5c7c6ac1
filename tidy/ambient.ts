/** No ambient clock, timer, randomness or I/O in the core: these come through ports. */
import { isTestCode } from './imports.ts'
import { isGlobal, lineAt, type Node, nodesIn, type SourceFile, walk } from './syntax-tree.ts'

const CORE = /^(protocol|registry|sandbox|peer)\//

const GLOBALS = new Set([
  ...['setTimeout', 'setInterval', 'setImmediate', 'performance', 'requestAnimationFrame', 'requestIdleCallback'],
  ...['crypto', 'process', 'console', 'require', 'Buffer', 'global', 'window', 'self', 'document', 'navigator'],
  ...['fetch', 'XMLHttpRequest', 'WebSocket', 'EventSource', 'Worker', 'localStorage', 'sessionStorage', 'indexedDB'],
])
const MEMBERS = new Set(['Date.now', 'Math.random', 'AbortSignal.timeout', 'Atomics.wait', 'Atomics.waitAsync'])
/** Globals whose members are looked at one by one, so that they must not be taken apart or renamed. */
const HOLDERS = new Set(['Date', 'Math', 'AbortSignal', 'Atomics', 'globalThis'])

const memberName = (member: Node | undefined): string | undefined => {
  const property = member?.type === 'MemberExpression' ? nodesIn(member.property)[0] : undefined
  return (member?.computed ? property?.value : property?.name) as string | undefined
}

/** The ambient thing that an Identifier stands for where it stands, if it is a global. */
const ambientAt = (node: Node, parent: Node | undefined): string | undefined => {
  const name = node.name as string
  const member = memberName(parent)
  if (GLOBALS.has(name)) return name
  if (!HOLDERS.has(name)) return undefined
  if (name === 'globalThis')
    return member === undefined || GLOBALS.has(member) ? `globalThis.${member ?? '…'}` : undefined
  if (MEMBERS.has(`${name}.${member}`)) return `${name}.${member}`
  if (parent?.type === 'VariableDeclarator') return `${name} in a variable`
  const called = parent?.type === 'CallExpression' && parent.callee === node
  const made = parent?.type === 'NewExpression' && nodesIn(parent.arguments).length === 0
  return name === 'Date' && (called || made) ? 'the present Date' : undefined
}

export const ambientViolations = (file: SourceFile): string[] => {
  if (!CORE.test(file.path) || isTestCode(file)) return []
  const found: string[] = []
  walk(file.tree, (node, ancestors) => {
    const ambient = node.type === 'Identifier' ? ambientAt(node, ancestors.at(-1)) : undefined
    if (ambient !== undefined && isGlobal(node, ancestors))
      found.push(`${file.path}:${lineAt(file.text, node.start)}: ${ambient} is ambient; take it from a port`)
  })
  return found
}
