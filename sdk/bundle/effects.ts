/**
 * Which effects sources ask for, beside the reads of their bindings.
 *
 * The rule, on one of the author's own sources with comments and types removed, for `call`, `now` and `random`: it
 * contains `ctx.call(` (or `?.`), or takes `call` out of `ctx` or out of the last of several parameters by destructuring;
 * for `sleep`: it contains `setTimeout`, `setInterval` or `AbortSignal.timeout`, but for a `setTimeout` of something named
 * that has no delay or 0, which is no effect; for `put`, `delete` and `send`: it has a property of that name, or takes one
 * out by destructuring. Packages under node_modules do not count: nothing hands them a `ctx` by that name, and many name
 * timers that a function never sets.
 *
 * The rule may say yes too often (text in a string, a Map that is deleted from, a branch that never runs); that costs the
 * function its purity, or the levels below `self`, and nothing else. Where it says no to a function that does request, as
 * with a context of another name, the run ends with E_EFFECT_UNDECLARED. It never makes a wrong answer.
 */
import { extname } from 'node:path'
import { type Loader, transform } from 'esbuild'
import type { EffectKind } from '../../protocol/effects.ts'

const LOADERS: Record<string, Loader> = {
  '.ts': 'ts',
  '.mts': 'ts',
  '.cts': 'ts',
  '.tsx': 'tsx',
  '.js': 'js',
  '.mjs': 'js',
  '.cjs': 'js',
  '.jsx': 'jsx',
}

const OF_CTX = ['call', 'now', 'random'] as const

const patternsFor = (name: string): RegExp[] => {
  const pattern = String.raw`\{(?:[^{}]*,)?${name}(?:[,:=][^{}]*)?\}`
  return [
    new RegExp(String.raw`\bctx(?:\?\.|\.)${name}(?:\?\.)?\(`),
    new RegExp(String.raw`${pattern}=ctx\b`),
    new RegExp(String.raw`,${pattern}\)(?:\{|=>)`),
  ]
}
const CTX_PATTERNS = OF_CTX.map((kind) => [kind, patternsFor(kind)] as const)

const TIMER = /\b(?:setTimeout|setInterval)\b|\bAbortSignal\.timeout\b/
const TIMER_AT_ONCE = /\bsetTimeout\([\w$.]+(?:,0)?\)/g

const OF_BINDINGS = ['put', 'delete', 'send'] as const
const BINDING_PATTERNS = OF_BINDINGS.map(
  (kind) => [kind, new RegExp(String.raw`\.${kind}\b|[{,]${kind}[,:=}]`)] as const,
)

const HINT = new RegExp([...OF_CTX, ...OF_BINDINGS, 'setTimeout', 'setInterval', 'timeout'].join('|'))

/** What the source at `path` requests, by the rule above; what is a binding's where there is one. */
export const effectsIn = async (path: string, source: string): Promise<EffectKind[]> => {
  const loader = LOADERS[extname(path)]
  if (loader === undefined || !HINT.test(source)) return []
  const { code } = await transform(source, { loader, minifySyntax: true, minifyWhitespace: true, logLevel: 'silent' })
  const ofCtx = CTX_PATTERNS.filter(([, patterns]) => patterns.some((pattern) => pattern.test(code)))
  const ofBindings = BINDING_PATTERNS.filter(([, pattern]) => pattern.test(code))
  const sleeps = TIMER.test(code.replace(TIMER_AT_ONCE, ''))
  return [...[...ofCtx, ...ofBindings].map(([kind]) => kind), ...(sleeps ? ['sleep' as const] : [])]
}
