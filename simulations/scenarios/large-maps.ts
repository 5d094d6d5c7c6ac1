import { workloadScenario } from './large-jobs.ts'

export const scenario = workloadScenario('map', 'jobs of 1 s, 64 at once by one invoker,')
