/** A WebAssembly module that may run here: checked, and compiled. */
import type { OutcomeErrorCode } from '../../protocol/outcome.ts'
import { isCommand, isReactor } from '../wasm/entries.ts'
import type { MeteredFacts } from '../wasm/form.ts'
import { givingWay } from '../wasm/giving-way.ts'
import { IMPORTS } from '../wasm/imports.ts'
import { validateMetered } from '../wasm/validate.ts'
import { importsOf } from './imports.ts'
import { ProgramInstance } from './instance.ts'
import type { Streams } from './wasi.ts'

export interface Program {
  module: WebAssembly.Module
  facts: MeteredFacts
  codeBytes: number
  /** It is a WASI command: its entry is `_start`. */
  command: boolean
  /** It wants `_initialize` to be called first, as WASI reactors do. */
  reactor: boolean
  /** Gas that it gets at a time; undefined: all at once. */
  sliceGas: bigint | undefined
  /** Nothing of the module has run yet. `paused`: called between two slices of gas. Throws as ProgramInstance does. */
  instantiate(streams: Streams, seed: Uint8Array, paused: () => void): ProgramInstance
}

/** Why a module does not run, the same on every machine. */
export interface Refused {
  code: OutcomeErrorCode
  message: string
}

/** `memoryBytesMax`: what its memory may declare. `sliceGas`: as in SandboxOptions. */
export const openProgram = (code: Uint8Array, memoryBytesMax: number, sliceGas?: number): Program | Refused => {
  const verdict = validateMetered(code, { memoryBytesMax, imports: IMPORTS })
  if (!verdict.ok) return { code: 'E_MODULE_REFUSED', message: verdict.reason }
  const { facts } = verdict
  const module = compiled(sliceGas ? givingWay(code) : (code as Uint8Array<ArrayBuffer>))
  if (!module) return { code: 'E_MODULE_REFUSED', message: 'it is no valid WebAssembly' }
  const kind = { command: isCommand(facts), reactor: isReactor(facts) }
  const program: Program = {
    ...{ module, facts, codeBytes: code.length, ...kind, sliceGas: sliceGas ? BigInt(sliceGas) : undefined },
    instantiate(streams, seed, paused) {
      const instance: ProgramInstance = new ProgramInstance(
        program,
        importsOf(program, () => instance, streams, seed),
        paused,
      )
      return instance
    },
  }
  return program
}

const compiled = (code: Uint8Array<ArrayBuffer>): WebAssembly.Module | undefined => {
  try {
    return new WebAssembly.Module(code)
  } catch (thrown) {
    if (thrown instanceof WebAssembly.CompileError) return undefined
    throw thrown
  }
}
