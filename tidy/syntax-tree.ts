import { parseAst } from 'vitest/node'

/** A node of the ESTree that the parser gives, TypeScript's own nodes included (`TS…`). */
export interface Node {
  type: string
  start: number
  end: number
  [field: string]: unknown
}

export interface SourceFile {
  /** From the root of the checkout, with slashes. */
  path: string
  text: string
  tree: Node
}

export const parseSource = (path: string, text: string): SourceFile => ({
  path,
  text,
  tree: parseAst(text, { lang: path.endsWith('.ts') ? 'ts' : 'js' }, path) as unknown as Node,
})

/** Counted from 1. */
export const lineAt = (text: string, offset: number): number => text.slice(0, offset).split('\n').length

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as Node).type === 'string'

/** The nodes in `value`: itself, or those of an array; none in anything else. */
export const nodesIn = (value: unknown): Node[] => (Array.isArray(value) ? value : [value]).filter(isNode)

/** Visits every node in source order, with its ancestors, the outermost first. */
export const walk = (
  node: Node,
  visit: (node: Node, ancestors: readonly Node[]) => void,
  ancestors: readonly Node[] = [],
): void => {
  visit(node, ancestors)
  const inner = [...ancestors, node]
  for (const value of Object.values(node)) for (const child of nodesIn(value)) walk(child, visit, inner)
}

/** The names that a binding pattern binds. */
const boundNames = (pattern: Node): string[] => {
  switch (pattern.type) {
    case 'Identifier':
      return [pattern.name as string]
    case 'ObjectPattern':
      return nodesIn(pattern.properties).flatMap((property) =>
        nodesIn(property.value ?? property.argument).flatMap(boundNames),
      )
    case 'ArrayPattern':
      return nodesIn(pattern.elements).flatMap(boundNames)
    default:
      // AssignmentPattern has `left`, RestElement `argument`.
      return nodesIn(pattern.left ?? pattern.argument).flatMap(boundNames)
  }
}

/** The names that a statement declares in the scope it stands in. */
const declaredBy = (statement: Node): string[] => {
  if (statement.type === 'VariableDeclaration')
    return nodesIn(statement.declarations).flatMap((declarator) => nodesIn(declarator.id).flatMap(boundNames))
  if (statement.type === 'ImportDeclaration')
    return nodesIn(statement.specifiers).flatMap((specifier) => nodesIn(specifier.local).flatMap(boundNames))
  if (/^(Function|Class)Declaration$/.test(statement.type)) return nodesIn(statement.id).flatMap(boundNames)
  return nodesIn(statement.declaration).flatMap(declaredBy)
}

/** Whether `scope` itself declares `name`: a block its statements, a function its parameters, a loop its variables. */
const declares = (scope: Node, name: string): boolean => {
  const statements = [...nodesIn(scope.body), ...nodesIn(scope.init), ...nodesIn(scope.left)].flatMap(declaredBy)
  const parameters = [...nodesIn(scope.params), ...nodesIn(scope.param)].flatMap(boundNames)
  return statements.includes(name) || parameters.includes(name)
}

const TYPE_WITH_EXPRESSION = new Set(['TSAsExpression', 'TSNonNullExpression', 'TSSatisfiesExpression'])
const isType = (node: Node) => node.type.startsWith('TS') && !TYPE_WITH_EXPRESSION.has(node.type)

/** Whether an Identifier is a property's or a specifier's name, not a variable. */
const isLabel = (node: Node, parent: Node | undefined): boolean => {
  if (parent === undefined) return false
  if (/^(Import|Export)Specifier$|^MetaProperty$/.test(parent.type)) return true
  const key = parent.type === 'MemberExpression' ? parent.property : parent.key
  return key === node && parent.computed !== true
}

/** Whether `node` reads or writes a global: an Identifier outside types that no enclosing scope declares. */
export const isGlobal = (node: Node, ancestors: readonly Node[]): boolean =>
  node.type === 'Identifier' &&
  !isLabel(node, ancestors.at(-1)) &&
  !ancestors.some(isType) &&
  !ancestors.some((scope) => declares(scope, node.name as string))
