import { workloadScenario } from './large-jobs.ts'

export const scenario = workloadScenario('bursty', 'jobs of 1 s, eight times as many in bursts of 2 s as on average,')
