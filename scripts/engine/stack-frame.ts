/** The frame that a function of the engine has on the engine's own stack: found in its code, and made larger. */
import binaryen from 'binaryen'
import { type Ref, setConstant, walk } from './expressions.ts'

/** The engine's stack pointer, and where its stack begins. */
export const stackPointerOf = (module: binaryen.Module): { name: string; top: number } => {
  for (let i = 0; i < module.getNumGlobals(); i++) {
    const { name, mutable, init } = binaryen.getGlobalInfo(module.getGlobalByIndex(i))
    if (mutable) return { name, top: (binaryen.getExpressionInfo(init) as binaryen.ConstInfo).value as number }
  }
  throw new Error('the engine has no stack pointer')
}

export interface StackFrame {
  bytes: number
  /** Makes it so much larger. */
  enlarge(bytes: number): void
}

/** A sum of a constant and something else, which takes `bytes` from the stack, or gives them back if that is negative. */
interface Step {
  constant: Ref
  /** Of the constant in it. */
  sign: 1 | -1
  bytes: number
}

const isA = (ref: Ref, id: number) => binaryen.getExpressionId(ref) === id

const stepIn = (ref: Ref, isBase: (left: Ref) => boolean): Step | undefined => {
  if (!isA(ref, binaryen.BinaryId)) return undefined
  const { op, left, right } = binaryen.getExpressionInfo(ref) as binaryen.BinaryInfo
  const sign = op === binaryen.SubInt32 ? 1 : op === binaryen.AddInt32 ? -1 : undefined
  if (!sign || !isA(right, binaryen.ConstId) || !isBase(left)) return undefined
  const value = (binaryen.getExpressionInfo(right) as binaryen.ConstInfo).value as number
  return { constant: right, sign, bytes: sign * value }
}

const setOf = (ref: Ref) => binaryen.getExpressionInfo(ref) as binaryen.LocalSetInfo
const localIn = (ref: Ref): number | undefined =>
  isA(ref, binaryen.LocalGetId) ? (binaryen.getExpressionInfo(ref) as binaryen.LocalGetInfo).index : undefined

/** Before these the frame must stand. */
const LATER = new Set<number>([
  binaryen.CallId,
  binaryen.CallIndirectId,
  binaryen.LoopId,
  binaryen.IfId,
  binaryen.BreakId,
])

/** All frames that `body` takes, with the locals that hold their addresses. The first may be its own, others of what was inlined. */
const takesIn = (body: Ref, pointer: string): { step: Step; holders: number[]; first: boolean }[] => {
  const isPointer = (ref: Ref) =>
    isA(ref, binaryen.GlobalGetId) && (binaryen.getExpressionInfo(ref) as binaryen.GlobalGetInfo).name === pointer
  const takes: ReturnType<typeof takesIn> = []
  let entry = true
  let holders: number[] = []
  walk(body, (ref, id) => {
    if (LATER.has(id)) entry = false
    const step = stepIn(ref, isPointer)
    if (step && step.bytes > 0) takes.push({ step, holders, first: entry && takes.length === 0 })
    holders = id === binaryen.LocalSetId ? [...holders, setOf(ref).index] : []
  })
  return takes
}

/** The frame that `body` takes before all else and gives back wherever it ends; undefined: it has none of this shape. */
export const stackFrameOf = (body: Ref, pointer: string): StackFrame | undefined => {
  const [own, ...inlined] = takesIn(body, pointer)
  if (!own?.first) return undefined
  const { step, holders } = own
  const isHolder = (ref: Ref) => holders.includes(localIn(ref) ?? -1)
  const returns: Step[] = []
  walk(body, (ref, id) => {
    if (id !== binaryen.GlobalSetId) return
    const given = stepIn((binaryen.getExpressionInfo(ref) as binaryen.GlobalSetInfo).value, isHolder)
    if (given?.bytes === -step.bytes) returns.push(given)
  })
  // The frame of something inlined that looks like this one.
  const twins = inlined.some(
    (other) => other.step.bytes === step.bytes && other.holders.some((local) => holders.includes(local)),
  )
  if (returns.length === 0 || twins) return undefined
  return {
    bytes: step.bytes,
    enlarge(more) {
      for (const { constant, sign, bytes } of [step, ...returns])
        setConstant(constant, sign * (bytes + Math.sign(bytes) * more))
    },
  }
}
