/**
 * Which sources ask for the effect `call`, and so make their function impure.
 *
 * The rule, on one of the author's own sources with comments and types removed: it contains `ctx.call(` (or `?.`),
 * or takes `call` out of `ctx` or out of the last of several parameters by destructuring. Packages under node_modules
 * do not count: nothing hands them a `ctx` by that name.
 *
 * The rule may say yes too often (text in a string, a branch that never runs); that costs the function its purity and
 * nothing else. Where it says no to a function that does call, as with a context of another name, the home refuses the
 * request with E_EFFECT_UNDECLARED. It never makes a wrong answer.
 */
import { extname } from 'node:path'
import { type Loader, transform } from 'esbuild'

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

/** Does the source at `path` request calls, by the rule above? */
export const requestsCall = async (path: string, source: string): Promise<boolean> => {
  const loader = LOADERS[extname(path)]
  if (loader === undefined || !source.includes('call')) return false
  const { code } = await transform(source, { loader, minifySyntax: true, minifyWhitespace: true, logLevel: 'silent' })
  return METHOD.test(code) || FROM_CTX.test(code) || LAST_PARAMETER.test(code)
}
