/** One world at both levels in a process of its own; what came of it is what the process says. Argument: the trial, in JSON. */
import { machine } from '../scripts/sim/machine.ts'
import { compareLevels } from '../simulations/level2/beside-level1.ts'
import type { Trial } from '../simulations/trial.ts'
import { say } from './processes.ts'

say(await compareLevels(machine, JSON.parse(process.argv[2] ?? '') as Trial))
