import { posix } from 'node:path'
import { lineAt, type Node, nodesIn, type SourceFile, walk } from './syntax-tree.ts'

export interface Import {
  /** As written. */
  specifier: string
  /** Of a file of ours: its path from the root. Of a package: undefined. */
  target: string | undefined
  line: number
}

const MODULE_NODES = /^(ImportDeclaration|ExportNamedDeclaration|ExportAllDeclaration|ImportExpression|TSImportType)$/

const textOf = (value: unknown): string | undefined => {
  const [node] = nodesIn(value)
  return node?.type === 'Literal' && typeof node.value === 'string' ? node.value : undefined
}

/** `require('x')`, and `new URL('./x.ts', import.meta.url)`, which is how a worker is named. */
const calledWith = (node: Node): string | undefined => {
  const [callee] = nodesIn(node.callee)
  const [first, second] = nodesIn(node.arguments)
  if (node.type === 'CallExpression' && callee?.name === 'require') return textOf(first)
  const fromHere = node.type === 'NewExpression' && callee?.name === 'URL' && second?.type === 'MemberExpression'
  const specifier = fromHere ? textOf(first) : undefined
  return specifier !== undefined && /^\..*\.[cm]?[jt]s$/.test(specifier) ? specifier : undefined
}

const cache = new WeakMap<SourceFile, Import[]>()

/** Every module that a file names: static and dynamic imports, re-exports, types, `require`, and workers. */
export const importsOf = (file: SourceFile): Import[] => {
  const known = cache.get(file)
  if (known) return known
  const imports: Import[] = []
  walk(file.tree, (node) => {
    const specifier = MODULE_NODES.test(node.type) ? textOf(node.source) : calledWith(node)
    if (specifier === undefined) return
    const target = specifier.startsWith('.') ? posix.join(posix.dirname(file.path), specifier) : undefined
    imports.push({ specifier, target, line: lineAt(file.text, node.start) })
  })
  cache.set(file, imports)
  return imports
}

/** A test, or code that only tests use (a conformance suite, a fixture): it imports vitest, or is in a folder `testing`. */
export const isTestCode = (file: SourceFile): boolean =>
  /\.test\.ts$|\/testing\//.test(file.path) || importsOf(file).some(({ specifier }) => specifier === 'vitest')
