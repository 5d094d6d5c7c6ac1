/** A WebAssembly module that may run here: checked, and compiled. */
import type { OutcomeErrorCode } from '../../protocol/outcome.ts'
import { isCommand, isReactor } from '../wasm/entries.ts'
import type { MeteredFacts } from '../wasm/form.ts'
import { givingWay } from '../wasm/giving-way.ts'
import { IMPORTS } from '../wasm/imports.ts'
import { validateMetered } from '../wasm/validate.ts'

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
  return { module, facts, codeBytes: code.length, ...kind, sliceGas: sliceGas ? BigInt(sliceGas) : undefined }
}

const compiled = (code: Uint8Array<ArrayBuffer>): WebAssembly.Module | undefined => {
  try {
    return new WebAssembly.Module(code)
  } catch (thrown) {
    if (thrown instanceof WebAssembly.CompileError) return undefined
    throw thrown
  }
}

export const isRefused = (opened: Program | Refused): opened is Refused => 'code' in opened
