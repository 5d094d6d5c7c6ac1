/** One routing scenario in a process of its own; its report is what the process says. Argument: the scenario, in JSON. */
import { machine } from '../scripts/sim/machine.ts'
import { type RoutingScenario, runRoutingScenario } from '../simulations/routing-scenario.ts'
import { say } from './processes.ts'

const scenario = JSON.parse(process.argv[2] ?? '') as Omit<RoutingScenario, 'machine'>
const report = await runRoutingScenario({ ...scenario, machine })
say(report)
