/** What every host must answer alike: the kernels' results and gas, and where endless recursion ends. */
import { MIB } from '../../../protocol/limits.ts'
import { parsed } from '../../../scripts/wasm/parsed.ts'
import { meterModule } from '../../../sdk/bundle/wasm/meter.ts'
import { KERNELS, kernelsInAssemblyScript, kernelsInC } from '../../../sdk/bundle/wasm/testing/kernels.ts'
import { STACK_BYTES_MAX } from '../constants.ts'
import { DEEP } from './deep.ts'
import type { Question } from './probe.ts'

const LIMITS = { memoryBytesMax: 16 * MIB, imports: new Map() }
const GAS = 10 ** 9

const question = async (module: Uint8Array, calls: Question['calls'], gas = GAS): Promise<Question> => ({
  code: Buffer.from((await meterModule(module, LIMITS)).code).toString('base64'),
  memoryBytesMax: LIMITS.memoryBytesMax,
  gas: `${gas}`,
  stack: `${STACK_BYTES_MAX}`,
  calls,
})

const KERNEL_CALLS = Object.entries(KERNELS)

const named = (entries: (readonly [string, Promise<Question>])[]): Promise<[string, Question][]> =>
  Promise.all(entries.map(async ([name, made]) => [name, await made]))

/** By name: each kernel with enough gas, and with too little. */
export const kernelQuestions = async (): Promise<[string, Question][]> => {
  const modules: [string, Uint8Array][] = [
    ['C', kernelsInC()],
    ['AssemblyScript', await kernelsInAssemblyScript()],
  ]
  return named(
    modules.flatMap(([name, module]) => [
      [name, question(module, KERNEL_CALLS)] as const,
      [`${name}, starved`, question(module, KERNEL_CALLS, 5000)] as const,
    ]),
  )
}

/** The second call may meet code of a better tier. */
export const deepQuestions = (): Promise<[string, Question][]> =>
  named(Object.entries(DEEP).map(([name, text]) => [name, question(parsed(text), [['deep'], ['deep']])] as const))
