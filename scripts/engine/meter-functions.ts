/** The functions of the engine that take from the word that all of its work is charged to. */
import binaryen from 'binaryen'
import { FUEL_TICK } from '../../protocol/limits.ts'
import { METER } from '../../sandbox/wasm-names.ts'
import { importedFunction, type Ref } from './expressions.ts'

const BYTES_PER_UNIT_LOG2 = 2
const PAGE_BYTES_LOG2 = 16
/** Bytecode between two polls: so much is part of what a poll pays for, and each byte more, a third of an opcode, costs this. */
export const RUN_BYTES_FREE = 256
const UNITS_PER_RUN_BYTE = 4

const TICK = 'meter_tick'
/** Takes so many units. */
export const CHARGE = 'meter_charge'
/** Takes for so many bytes that are about to be copied or filled, and returns their number. */
export const BULK = 'meter_bulk'
/** Calls the import that grows memory, and takes for what it has grown by. */
export const GROW = 'meter_grow'
/** A poll of the interpreter, after so many bytes of bytecode since the last one. */
export const POLL = 'meter_poll'
/** Takes for so many bytes of bytecode, more than RUN_BYTES_FREE. */
export const RUN = 'meter_run'

const { i32, none } = binaryen

/** Code that takes `units` from the word, and leaves what is left of it in `local`. */
export const take = (module: binaryen.Module, units: Ref, local: number): Ref => {
  const nothing = () => module.i32.const(0)
  const left = module.i32.sub(module.i32.load(METER.address, 4, nothing()), units)
  return module.block(null, [
    module.i32.store(METER.address, 4, nothing(), module.local.tee(local, left, i32)),
    module.if(module.i32.lt_s(module.local.get(local, i32), nothing()), module.call(TICK, [], none)),
  ])
}

/** The same without a look at what is left: the next code that takes meets it. */
export const owe = (module: binaryen.Module, units: number): Ref => {
  const left = module.i32.sub(module.i32.load(METER.address, 4, module.i32.const(0)), module.i32.const(units))
  return module.i32.store(METER.address, 4, module.i32.const(0), left)
}

export const addFunctions = (module: binaryen.Module, growImport: string): void => {
  const left = () => module.i32.load(METER.address, 4, module.i32.const(0))
  const tick = module.block(null, [
    module.i32.store(
      METER.address,
      4,
      module.i32.const(0),
      module.i32.add(left(), module.i32.const(FUEL_TICK * METER.unitsPerFuel)),
    ),
    module.drop(module.call(importedFunction(module, 'i'), [module.i32.const(0)], i32)),
    module.br('again', module.i32.lt_s(left(), module.i32.const(0))),
  ])
  module.addFunction(TICK, none, none, [], module.loop('again', tick))
  const first = () => module.local.get(0, i32)
  module.addFunction(CHARGE, i32, none, [], take(module, first(), 0))
  const ofBytes = module.i32.add(module.i32.shr_u(first(), module.i32.const(BYTES_PER_UNIT_LOG2)), module.i32.const(1))
  module.addFunction(BULK, i32, i32, [i32], module.block(null, [take(module, ofBytes, 1), first()], i32))
  const pages = () => module.memory.size()
  const grown = module.i32.sub(pages(), module.local.get(1, i32))
  const growing = module.block(
    null,
    [
      module.local.set(1, pages()),
      module.local.set(0, module.call(growImport, [first()], i32)),
      take(module, module.i32.shl(grown, module.i32.const(PAGE_BYTES_LOG2 - BYTES_PER_UNIT_LOG2)), 1),
      first(),
    ],
    i32,
  )
  module.addFunction(GROW, i32, i32, [i32], growing)
  const more = () => module.i32.sub(first(), module.i32.const(RUN_BYTES_FREE))
  const ofRun = (bytes: Ref) => module.i32.mul(bytes, module.i32.const(UNITS_PER_RUN_BYTE))
  module.addFunction(RUN, i32, none, [], take(module, ofRun(more()), 0))
  const long = module.i32.gt_u(first(), module.i32.const(RUN_BYTES_FREE))
  const polled = module.block(null, [
    module.if(long, module.call(RUN, [first()], none)),
    take(module, module.i32.const(METER.unitsPerFuel), 0),
  ])
  module.addFunction(POLL, i32, none, [], polled)
}
