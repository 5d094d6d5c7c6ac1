/** One question about a metered module, asked of every host alike. */
import { GAS_EXPORT, type MeteredLimits, STACK_EXPORT, START_EXPORT } from '../form.ts'
import { validateMetered } from '../validate.ts'

export interface Question {
  /** The module, base64. */
  code: string
  memoryBytesMax: number
  /** What each call may use, as decimals. */
  gas: string
  stack: string
  calls: [name: string, ...args: number[]][]
}

export interface CallAnswer {
  /** The result as text, or the name of the error. */
  outcome: string
  gasUsed: string
  stackUsed: string
}

export type Answer = CallAnswer[] | string

type Numbers = Record<string, { value: bigint }>
type Functions = Record<string, (...args: number[]) => unknown>

/** In one instance, each call with its own gas; what the checker says, if it refuses. */
export const answer = ({ code, memoryBytesMax, gas, stack, calls }: Question): Answer => {
  const bytes = Uint8Array.from(atob(code), (char) => char.charCodeAt(0))
  const limits: MeteredLimits = { memoryBytesMax, imports: new Map() }
  const verdict = validateMetered(bytes, limits)
  if (!verdict.ok) return verdict.reason
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {})
  const numbers = exports as Numbers
  const set = () => {
    numbers[GAS_EXPORT]!.value = BigInt(gas)
    numbers[STACK_EXPORT]!.value = BigInt(stack)
  }
  set()
  if (verdict.facts.start) (exports as Functions)[START_EXPORT]!()
  return calls.map(([name, ...args]) => {
    set()
    const outcome = attempt(() => (exports as Functions)[name]!(...args))
    const gasUsed = `${BigInt(gas) - numbers[GAS_EXPORT]!.value}`
    return { outcome, gasUsed, stackUsed: `${BigInt(stack) - numbers[STACK_EXPORT]!.value}` }
  })
}

const attempt = (call: () => unknown): string => {
  try {
    return String(call())
  } catch (error) {
    return (error as Error).name
  }
}
