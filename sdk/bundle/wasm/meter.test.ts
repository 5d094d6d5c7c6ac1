/** Modules of real compilers, metered: they compute what they did, pay for it, and end where they must. */
import { beforeAll, describe, expect, test } from 'vitest'
import { MIB } from '../../../protocol/limits.ts'
import { GAS_EXPORT, STACK_EXPORT, START_EXPORT } from '../../../sandbox/wasm/form.ts'
import { COUNT_EXPORT, withReferenceCount } from '../../../sandbox/wasm/testing/reference.ts'
import { meterModule } from './meter.ts'
import { KERNELS, kernelsInAssemblyScript, kernelsInC } from './testing/kernels.ts'

const LIMITS = { memoryBytesMax: 16 * MIB, imports: new Map() }
const GAS = 2n ** 50n
const STACK = 100_000n

interface Running {
  call: (name: string, ...args: number[]) => number
  value: (name: string) => bigint
  gasUsed: () => bigint
}

const running = (code: Uint8Array, gas = GAS, stack = STACK): Running => {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code), {})
  const value = (name: string) => (exports[name] as { value: bigint }).value
  const set = (name: string, value: bigint) =>
    Object.assign((exports[name] as { value: bigint } | undefined) ?? {}, { value })
  set(GAS_EXPORT, gas)
  set(STACK_EXPORT, stack)
  if (START_EXPORT in exports) (exports[START_EXPORT] as () => void)()
  return {
    call: (name, ...args) => (exports[name] as (...args: number[]) => number)(...args),
    value,
    gasUsed: () => gas - value(GAS_EXPORT),
  }
}

describe.each([
  ['C', () => Promise.resolve(kernelsInC())],
  ['AssemblyScript', kernelsInAssemblyScript],
])('kernels in %s', (_, compile) => {
  let plain: Uint8Array
  let code: Uint8Array
  beforeAll(async () => {
    plain = await compile()
    code = (await meterModule(plain, LIMITS)).code
  })

  test.each(Object.entries(KERNELS))('%s gives the same, for gas', (kernel, size) => {
    const metered = running(code)
    expect(metered.call(kernel, size)).toBe(running(plain).call(kernel, size))
    expect(metered.gasUsed()).toBeGreaterThan(1000n)
  })

  test.each(Object.entries(KERNELS))('%s uses exactly what its instructions cost, one by one', (kernel, size) => {
    const counted = running(withReferenceCount(code))
    counted.call(kernel, size)
    expect(counted.gasUsed()).toBe(counted.value(COUNT_EXPORT))
  })

  test('the same bytes again', async () => {
    expect((await meterModule(plain, LIMITS)).code).toEqual(code)
  })
})
