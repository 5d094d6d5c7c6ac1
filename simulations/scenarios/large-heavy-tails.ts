import { workloadScenario } from './large-jobs.ts'

export const scenario = workloadScenario('heavy', 'jobs of 1 s on average, most far shorter and some up to 37 s long,')
