/** Adds to the engine what measures the native frame of each of its functions. For measuring only. */
import binaryen from 'binaryen'
import { ownFunctions, type Ref, replaceFunction } from './expressions.ts'
import { CALIBRATOR_LOCALS, CALIBRATORS, DEPTH, PROBED, startOf } from './probe-names.ts'

const { i32, i64, none } = binaryen

const zero = (module: binaryen.Module, type: binaryen.Type): Ref => {
  if (type === i32) return module.i32.const(0)
  return type === i64 ? module.i64.const(0n) : module.f64.const(0)
}

const countCall = (module: binaryen.Module): Ref =>
  module.global.set(DEPTH, module.i32.add(module.global.get(DEPTH, i32), module.i32.const(1)))

const addCalibrator = (module: binaryen.Module, name: string, locals: number): void => {
  const each = Array.from({ length: locals }, (_, i) => i)
  const depth = () => module.i64.extend_u(module.global.get(DEPTH, i32))
  const body = [
    countCall(module),
    ...each.map((i) => module.local.set(i, module.i64.mul(depth(), module.i64.const(BigInt(2 * i + 3))))),
    module.call(name, [], none),
    ...each.map((i) => module.i64.store(0, 8, module.i32.const(0), module.local.get(i, i64))),
  ]
  module.addFunction(
    name,
    none,
    none,
    each.map(() => i64),
    module.block(null, body),
  )
  module.addFunctionExport(name, name)
}

/** Returns the names of the functions, by the numbers that they have as probes. */
export const addProbes = (module: binaryen.Module): string[] => {
  const functions = ownFunctions(module)
  for (const name of [PROBED, DEPTH]) {
    module.addGlobal(name, i32, true, module.i32.const(-1))
    module.addGlobalExport(name, name)
  }
  for (const [n, info] of functions.entries()) {
    const { name, params, results, body, vars } = info
    const types = binaryen.expandType(params)
    const itself = module.call(
      name,
      types.map((type, i) => module.local.get(i, type)),
      results,
    )
    const recursion = [countCall(module), results === none ? itself : module.drop(itself)]
    const probed = module.i32.eq(module.global.get(PROBED, i32), module.i32.const(n))
    const begun = module.if(probed, module.block(null, recursion))
    replaceFunction(module, info, module.block(null, [begun, body], results), vars)
    const call = module.call(
      name,
      types.map((type) => zero(module, type)),
      results,
    )
    module.addFunction(startOf(n), none, none, [], results === none ? call : module.drop(call))
    module.addFunctionExport(startOf(n), startOf(n))
  }
  for (const [i, name] of CALIBRATORS.entries()) addCalibrator(module, name, CALIBRATOR_LOCALS[i] as number)
  return functions.map(({ name }) => name)
}
