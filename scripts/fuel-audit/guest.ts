/** The function that the audit runs: it lists the built-ins, or makes the inputs of one case and calls with them. */
import { BUILT_INS_SOURCE } from './built-ins.ts'
import { CASE_GROUPS, type CaseGroup } from './cases.ts'

export interface Case {
  /** The built-in, as `built-ins.ts` names it; or `syntax`, and what. */
  path: string
  setup: string
  call: string
}

const ACCESSORS = /^(?:get set|get|set)(?: |$)/

/** Not what `$` means in templates and replacements. */
const NAME = /\$(?![&`{1])/g

const pathsOf = (of: string, name: string): string[] => {
  const kinds = ACCESSORS.exec(of)?.[0].trim().split(' ') ?? ['']
  const holder = of.replace(ACCESSORS, '')
  const path = holder === '' || name.startsWith('[') ? holder + name : `${holder}.${name}`
  return kinds.map((kind) => (kind === '' ? path : `${kind} ${path}`))
}

const casesOf = ([of, names, setup, call]: CaseGroup): Case[] =>
  names.split(' ').flatMap((name) =>
    (call.includes('OF') ? of.split(' ') : [of]).flatMap((holder) =>
      pathsOf(holder, name).map((path) => ({
        path,
        setup: setup.replaceAll(NAME, () => name),
        call: call.replaceAll('OF', () => holder).replaceAll(NAME, () => name),
      })),
    ),
  )

export const CASES: readonly Case[] = CASE_GROUPS.flatMap(casesOf)

const INPUTS_SOURCE = `
const text = (n, part = 'abcdefgh') => part.repeat(n / part.length)
const wide = (n) => text(n, 'aé€😀')
const rope = (n) => text(n / 2, 'klmnopqr') + text(n / 2)
const digits = (n) => '0.' + '5'.repeat(n)
const list = (n) => Array.from({ length: n }, (_, i) => i)
const holes = (n) => new Array(n)
const texts = (n) => list(n).map(String)
const many = (n, part) => list(n).map((i) => part + i).join(';')
const mixed = (n) => list(n).map((i) => (i * 7919) % 10007)
// The engine has none of more than 2 ** 20 bits.
const big = (bits) => (1n << BigInt(Math.floor(Math.min(bits, 500_000)))) - 1n
const record = (n) => Object.fromEntries(list(n).map((i) => ['k' + i, i]))
const described = (n) => Object.fromEntries(list(n).map((i) => ['k' + i, { value: i }]))
const chain = (n) => list(n).reduce((o) => Object.create(o), {})
const proxies = (n) => list(n).reduce((o) => new Proxy(o, {}), {})
const nested = (n) => list(n).reduce((o) => [o], [])
const map = (n) => new Map(texts(n).map((s) => [s, s]))
const set = (n) => new Set(texts(n))
const sparse = (keyed) => { for (const [k] of [...keyed.entries()].slice(0, -1)) keyed.delete(k); return keyed }
const date = new Date(Date.UTC(2000, 1, 2, 3, 4, 5, 6))
const native = (path) => ROOTS[path] ?? globalThis[path]
const thrown = (run) => { try { run() } catch (error) { return error } }
`

const caseSource = ({ setup, call }: Case): string =>
  `(n) => { let a, b, c, C, d, e, f, g, m, o, p, r, s, t, x; ${setup}; return () => { ${call} } }`

/** Called with null it returns the paths of all built-ins; with { at, n, call }, it makes the inputs of a case of that size, calls, and awaits what that returns. */
export const AUDIT_MODULE = `${BUILT_INS_SOURCE}${INPUTS_SOURCE}
const cases = [
${CASES.map(caseSource).join(',\n')}
]
export default async (job) => {
  if (job === null) return builtIns()
  const run = cases[job.at](job.n)
  // What the inputs are is not freed, nor counted, before the end.
  globalThis.kept = run
  if (job.call) await run()
  return null
}
`
