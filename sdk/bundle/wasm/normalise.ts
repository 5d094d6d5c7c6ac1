/** A module as binaryen prints it: one encoding of each thing, nothing that is not used, no names. */
import { MeshError } from '../../../protocol/errors.ts'

/** What does not change what runs. The order is part of the output. */
const PASSES = [
  'strip-debug',
  'strip-dwarf',
  'strip-producers',
  'strip-target-features',
  'vacuum',
  'remove-unused-module-elements',
]

/** Throws MeshError E_BUNDLE if `module` is not a valid core module. */
export const normalise = async (module: Uint8Array): Promise<Uint8Array> => {
  refuseInvalid(module)
  const { default: binaryen } = await import('binaryen')
  const { MutableGlobals, SignExt, BulkMemory, BulkMemoryOpt, NontrappingFPToInt, Multivalue } = binaryen.Features
  const ir = binaryen.readBinary(module)
  try {
    // Binaryen writes newer encodings only for features that it is told of.
    ir.setFeatures(MutableGlobals | SignExt | BulkMemory | BulkMemoryOpt | NontrappingFPToInt | Multivalue)
    ir.runPasses(PASSES)
    return ir.emitBinary()
  } finally {
    ir.dispose()
  }
}

/** Typed here: the compiler's own types for it come only with those of a page, and those refuse these bytes. */
const { Module } = (globalThis as unknown as { WebAssembly: { Module: new (bytes: Uint8Array) => object } }).WebAssembly

const refuseInvalid = (module: Uint8Array) => {
  try {
    new Module(module)
  } catch (cause) {
    const message = `the file is not a WebAssembly module that can be compiled: ${(cause as Error).message}`
    throw new MeshError('E_BUNDLE', { message }, { cause })
  }
}
