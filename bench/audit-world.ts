/** One audit scenario in a process of its own; its report is what the process says. Argument: the scenario, in JSON. */
import { machine } from '../scripts/sim/machine.ts'
import { type AuditScenario, runAuditScenario } from '../simulations/audit-scenario.ts'
import { say } from './processes.ts'

const scenario = JSON.parse(process.argv[2] ?? '') as Omit<AuditScenario, 'machine'>
const report = await runAuditScenario({ ...scenario, machine })
say(report)
