/** What measures native frames in a worker of each host. */
import { FUEL_MAX, MIB } from '../../protocol/limits.ts'
import { encodeValue } from '../../protocol/values.ts'
import { createSandbox } from '../../sandbox/sandbox.ts'
import { CALIBRATION_BYTES, CALIBRATORS, DEPTH, PROBED, startOf } from './probe-names.ts'
import { WORKLOAD } from './workload.ts'

export interface ProbeQuestion {
  /** How many functions there are to probe. */
  count: number
  /** Rounds of work before; none: as the host compiles a function first. */
  rounds: number
}

/** Bytes of native stack of the host, and of the frame of each function. */
export interface ProbeAnswer {
  stackBytes: number
  frames: number[]
}

type Probes = Record<string, { value: number } & (() => void)>

/** Runs the workload, and returns the exports of its instance, which the sandbox does not show. */
const exportsAfter = (wasm: WebAssembly.Module, rounds: number): Probes => {
  const { Instance } = WebAssembly
  let last: WebAssembly.Instance | undefined
  WebAssembly.Instance = class extends Instance {
    constructor(module: WebAssembly.Module, imports?: WebAssembly.Imports) {
      super(module, imports)
      last = this
    }
  } as typeof Instance
  const sandbox = createSandbox({ wasm })
  const limits = { fuel: FUEL_MAX, memory_bytes: 64 * MIB, output_bytes: MIB }
  sandbox.load('workload', new TextEncoder().encode(WORKLOAD), limits.memory_bytes)
  const run = {
    owner: 'nobody',
    exportName: 'default',
    effects: [],
    input: encodeValue(rounds),
    seed: new Uint8Array(32),
    limits,
    journal: [],
  }
  const { result } = sandbox.run('workload', run)
  WebAssembly.Instance = Instance
  if (result?.kind !== 'outcome' || !result.decoded.result.ok)
    throw new Error(`the workload failed: ${JSON.stringify(result)}`)
  return (last as WebAssembly.Instance).exports as Probes
}

export const probeFrames = (wasm: WebAssembly.Module, { count, rounds }: ProbeQuestion): ProbeAnswer => {
  const probes = exportsAfter(wasm, rounds)
  const depthOf = (start: string, n: number): number => {
    const [probed, depth] = [probes[PROBED]!, probes[DEPTH]!]
    probed.value = n
    depth.value = 0
    try {
      probes[start]!()
    } catch {
      // The end of the host's stack.
    }
    probed.value = -1
    return depth.value
  }
  const [small, large] = CALIBRATORS.map((name) => depthOf(name, -1)) as [number, number]
  const stackBytes = (small * CALIBRATION_BYTES * large) / (small - large)
  return { stackBytes, frames: Array.from({ length: count }, (_, n) => Math.ceil(stackBytes / depthOf(startOf(n), n))) }
}
