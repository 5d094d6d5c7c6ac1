/** One routing scenario in a process of its own; its report is what the process says. Argument: the scenario, in JSON. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createCrypto, createSigner } from '../node/crypto.ts'
import { type RoutingScenario, runRoutingScenario } from '../simulations/routing-scenario.ts'

const WASM = fileURLToPath(import.meta.resolve('@jitl/quickjs-wasmfile-release-sync/wasm'))

const scenario = JSON.parse(process.argv[2] ?? '') as Omit<RoutingScenario, 'machine'>
const wasm = new WebAssembly.Module(new Uint8Array(readFileSync(WASM)))
const report = await runRoutingScenario({ ...scenario, machine: { crypto: createCrypto(), createSigner, wasm } })
process.send?.(report)
process.disconnect?.()
