/**
 * Which sources ask for the effects `call` and `sleep`, and so make their function impure.
 *
 * The rule, on one of the author's own sources with comments and types removed, for `call`: it contains `ctx.call(` (or
 * `?.`), or takes `call` out of `ctx` or out of the last of several parameters by destructuring; for `sleep`: it contains
 * `setTimeout`, `setInterval` or `AbortSignal.timeout`, but for a `setTimeout` of something named that has no delay or 0,
 * which is no effect. Packages under node_modules do not count: nothing hands them a `ctx` by that name, and many name
 * timers that a function never sets.
 *
 * The rule may say yes too often (text in a string, a branch that never runs); that costs the function its purity and
 * nothing else. Where it says no to a function that does request, as with a context of another name, the run ends with E_EFFECT_UNDECLARED. It never makes a wrong answer.
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

const METHOD = /\bctx(?:\?\.|\.)call(?:\?\.)?\(/
const PATTERN = String.raw`\{(?:[^{}]*,)?call(?:[,:=][^{}]*)?\}`
const FROM_CTX = new RegExp(String.raw`${PATTERN}=ctx\b`)
const LAST_PARAMETER = new RegExp(String.raw`,${PATTERN}\)(?:\{|=>)`)

const TIMER = /\b(?:setTimeout|setInterval)\b|\bAbortSignal\.timeout\b/
const TIMER_AT_ONCE = /\bsetTimeout\([\w$.]+(?:,0)?\)/g

/** What the source at `path` requests, by the rule above. */
export const effectsIn = async (path: string, source: string): Promise<EffectKind[]> => {
  const loader = LOADERS[extname(path)]
  if (loader === undefined || !(source.includes('call') || TIMER.test(source))) return []
  const { code } = await transform(source, { loader, minifySyntax: true, minifyWhitespace: true, logLevel: 'silent' })
  const calls = METHOD.test(code) || FROM_CTX.test(code) || LAST_PARAMETER.test(code)
  const sleeps = TIMER.test(code.replace(TIMER_AT_ONCE, ''))
  return [...(calls ? ['call' as const] : []), ...(sleeps ? ['sleep' as const] : [])]
}
