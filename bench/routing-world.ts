/** One routing scenario in a process of its own; its report is what the process says. Argument: the scenario, in JSON. */
import { readFileSync } from 'node:fs'
import { createCrypto, createSigner } from '../node/crypto.ts'
import { ENGINE_FILE } from '../scripts/engine/source.ts'
import { type RoutingScenario, runRoutingScenario } from '../simulations/routing-scenario.ts'

const scenario = JSON.parse(process.argv[2] ?? '') as Omit<RoutingScenario, 'machine'>
const wasm = new WebAssembly.Module(new Uint8Array(readFileSync(ENGINE_FILE)))
const report = await runRoutingScenario({ ...scenario, machine: { crypto: createCrypto(), createSigner, wasm } })
process.send?.(report)
process.disconnect?.()
