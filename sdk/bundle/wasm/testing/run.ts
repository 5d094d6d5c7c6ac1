/** A module that runs, with gas and stack where it is metered. */
import { STACK_BYTES_MAX } from '../../../../sandbox/wasm/constants.ts'
import { GAS_EXPORT, STACK_EXPORT, START_EXPORT } from '../../../../sandbox/wasm/form.ts'

export interface Running {
  call: (name: string, ...args: (number | bigint)[]) => unknown
  value: (name: string) => bigint
  exports: Record<string, unknown>
  gasUsed: () => bigint
}

const GAS = 2n ** 50n

export const running = (
  code: Uint8Array,
  imports: WebAssembly.Imports = {},
  gas = GAS,
  stack = BigInt(STACK_BYTES_MAX),
): Running => {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code as Uint8Array<ArrayBuffer>), imports)
  const value = (name: string) => (exports[name] as { value: bigint }).value
  const set = (name: string, to: bigint) => name in exports && Object.assign(exports[name] as object, { value: to })
  set(GAS_EXPORT, gas)
  set(STACK_EXPORT, stack)
  const call = (name: string, ...args: (number | bigint)[]) =>
    (exports[name] as (...args: (number | bigint)[]) => unknown)(...args)
  if (START_EXPORT in exports) call(START_EXPORT)
  return {
    call,
    value,
    exports,
    gasUsed: () => gas - value(GAS_EXPORT),
  }
}
