/** One audit scenario in a process of its own; its report is what the process says. Argument: the scenario, in JSON. */
import { readFileSync } from 'node:fs'
import { createCrypto, createSigner } from '../node/crypto.ts'
import { ENGINE_FILE } from '../scripts/engine/source.ts'
import { type AuditScenario, runAuditScenario } from '../simulations/audit-scenario.ts'

const scenario = JSON.parse(process.argv[2] ?? '') as Omit<AuditScenario, 'machine'>
const wasm = new WebAssembly.Module(new Uint8Array(readFileSync(ENGINE_FILE)))
const report = await runAuditScenario({ ...scenario, machine: { crypto: createCrypto(), createSigner, wasm } })
process.send?.(report)
process.disconnect?.()
