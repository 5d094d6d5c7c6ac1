import { lineAt, type Node, nodesIn, type SourceFile, walk } from './syntax-tree.ts'

const FILE_LINES_MAX = 400
const FUNCTION_LINES_MAX = 70
const FUNCTIONS = /^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/

/** `describe(…)`, `describe.each(…)(…)`: a list of tests, not a function that anyone reads from top to bottom. */
const isDescribe = (call: Node | undefined): boolean => {
  const [callee] = nodesIn(call?.callee)
  if (callee === undefined) return false
  const [object] = nodesIn(callee.object)
  return callee.name === 'describe' || object?.name === 'describe' || isDescribe(callee)
}

export const lengthViolations = (file: SourceFile): string[] => {
  const lines = lineAt(file.text, file.text.trimEnd().length)
  const found = lines > FILE_LINES_MAX ? [`${file.path}: ${lines} lines; at most ${FILE_LINES_MAX}`] : []
  walk(file.tree, (node, ancestors) => {
    if (!FUNCTIONS.test(node.type) || isDescribe(ancestors.at(-1))) return
    const start = lineAt(file.text, node.start)
    const length = lineAt(file.text, node.end) - start + 1
    if (length > FUNCTION_LINES_MAX)
      found.push(`${file.path}:${start}: a function of ${length} lines; at most ${FUNCTION_LINES_MAX}`)
  })
  return found
}
